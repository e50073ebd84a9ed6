"""The services of Banxi. They share `contracts` and `services.common`, and never import each other."""
