"""One description of a network gives its forward pass, its geometry and its reverse path."""
