"""The library: papers in, cited and checked answers out."""
