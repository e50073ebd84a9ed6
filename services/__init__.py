"""The services of Banxi. They share `contracts` and `services.common`, nothing else."""
