"""From folders of photographs to network inputs."""
