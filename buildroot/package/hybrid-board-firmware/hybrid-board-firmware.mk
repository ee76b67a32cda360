################################################################################
#
# hybrid-board-firmware
#
################################################################################

HYBRID_BOARD_FIRMWARE_VERSION = 0.2.0
HYBRID_BOARD_FIRMWARE_SITE = $(BR2_EXTERNAL_HYBRID_RUNTIME_PATH)/../qemu
HYBRID_BOARD_FIRMWARE_SITE_METHOD = local
# What a build by hand leaves there.
HYBRID_BOARD_FIRMWARE_OVERRIDE_SRCDIR_RSYNC_EXCLUSIONS = --exclude /build
HYBRID_BOARD_FIRMWARE_LICENSE = Apache-2.0
HYBRID_BOARD_FIRMWARE_LICENSE_FILES = LICENSE
HYBRID_BOARD_FIRMWARE_DEPENDENCIES = host-arm-gnu-toolchain host-dtc
HYBRID_BOARD_FIRMWARE_INSTALL_TARGET = NO
HYBRID_BOARD_FIRMWARE_INSTALL_IMAGES = YES

define HYBRID_BOARD_FIRMWARE_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) O=$(@D)/build \
		CROSS64=$(TARGET_CROSS) CROSS32=$(HOST_DIR)/bin/arm-none-eabi- DTC=$(HOST_DIR)/bin/dtc
endef

define HYBRID_BOARD_FIRMWARE_INSTALL_IMAGES_CMDS
	rm -rf $(BINARIES_DIR)/platform
	mkdir -p $(BINARIES_DIR)/platform
	cp -r $(@D)/build/. $(BINARIES_DIR)/platform/
	rm -r $(BINARIES_DIR)/platform/obj
endef

$(eval $(generic-package))
