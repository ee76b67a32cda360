"""What `doctor` looks at: one module per part of the device. Nothing here changes anything but `repair`."""
