"""The image made from Debian packages: a kernel built from their source, a root file system unpacked from them."""
