"""The patches of the images that units see."""
