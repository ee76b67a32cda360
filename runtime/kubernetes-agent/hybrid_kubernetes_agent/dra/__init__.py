"""Processors by Dynamic Resource Allocation (resource.k8s.io/v1), where a cluster has it."""
