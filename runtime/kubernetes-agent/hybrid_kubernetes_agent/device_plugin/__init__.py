"""Processors as devices of the kubelet's device plugin API, which every cluster has."""
