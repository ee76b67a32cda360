"""What is done once on a device: the engines learn of this runtime, and `doctor` looks whether all is well."""
