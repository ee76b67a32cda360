"""Offers the processors of a node to Kubernetes: a device plugin whose devices are auxiliary cores."""

VERSION = "0.2.0"
