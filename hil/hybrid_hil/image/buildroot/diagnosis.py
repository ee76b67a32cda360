"""What to do about a Buildroot build that failed, told from what it printed."""

from hybrid_hil.image.diagnosis import COMMON_SIGNS

SIGNS = (
    *COMMON_SIGNS,
    (
        r"has wrong sha\d+ hash|no hash found for",
        "a source is not the one that Buildroot or this project vouches for: remove it from the download folder, or "
        "add its hash below BR2_GLOBAL_PATCH_DIR",
    ),
    (
        r"\.stamp_downloaded\]|could not resolve|unable to resolve host|name resolution|connection (timed out|refused)",
        "a source cannot be downloaded: connect this machine, give its proxy in https_proxy, or name a mirror with "
        "BR2_PRIMARY_SITE in a file for --settings",
    ),
    (r"increase the filesystem size", "set BR2_TARGET_ROOTFS_EXT2_SIZE in a file for --settings"),
    (r"lacks lines of", "a fragment of the kernel or of BusyBox asks for what cannot be: see the lines named"),
    (r"you must install '(\S+)'|(\S+): command not found", "install the program named"),
)
