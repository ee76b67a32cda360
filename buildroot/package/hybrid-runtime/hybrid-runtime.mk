################################################################################
#
# hybrid-runtime
#
################################################################################

HYBRID_RUNTIME_VERSION = 0.2.0
HYBRID_RUNTIME_SITE = $(BR2_EXTERNAL_HYBRID_RUNTIME_PATH)/../runtime
HYBRID_RUNTIME_SITE_METHOD = local
HYBRID_RUNTIME_LICENSE = Apache-2.0
HYBRID_RUNTIME_LICENSE_FILES = LICENSE
HYBRID_RUNTIME_DEPENDENCIES = host-python3 python3

# Byte code names the time of its source. A reproducible build gives all files of the image one time, after this.
HYBRID_RUNTIME_FILE_TIME = $(if $(BR2_REPRODUCIBLE),find $(TARGET_DIR)/usr/lib/hybrid-runtime/hybrid_runtime \
	-name '*.py' -exec touch -d @$(SOURCE_DATE_EPOCH) {} +,true)

define HYBRID_RUNTIME_INSTALL_TARGET_CMDS
	rm -rf $(TARGET_DIR)/usr/lib/hybrid-runtime
	mkdir -p $(TARGET_DIR)/usr/lib/hybrid-runtime $(TARGET_DIR)/lib/firmware
	$(INSTALL) -D -m 0755 $(@D)/bin/hybrid-runtime $(TARGET_DIR)/usr/lib/hybrid-runtime/bin/hybrid-runtime
	$(INSTALL) -D -m 0755 $(@D)/bin/containerd-shim-remoteproc-v1 \
		$(TARGET_DIR)/usr/lib/hybrid-runtime/bin/containerd-shim-remoteproc-v1
	cp -r $(@D)/hybrid_runtime $(@D)/engines $(TARGET_DIR)/usr/lib/hybrid-runtime/
	mkdir -p $(TARGET_DIR)/usr/lib/hybrid-runtime/shim
	ln -sf ../bin/hybrid-runtime $(TARGET_DIR)/usr/lib/hybrid-runtime/shim/runc
	find $(TARGET_DIR)/usr/lib/hybrid-runtime -name __pycache__ -prune -exec rm -r {} +
	$(HYBRID_RUNTIME_FILE_TIME)
	$(HOST_DIR)/bin/python3 -I -m compileall -q --invalidation-mode timestamp \
		-s $(TARGET_DIR) -p / $(TARGET_DIR)/usr/lib/hybrid-runtime/hybrid_runtime
	mkdir -p $(TARGET_DIR)/usr/bin
	ln -sf ../lib/hybrid-runtime/bin/hybrid-runtime $(TARGET_DIR)/usr/bin/hybrid-runtime
	ln -sf ../lib/hybrid-runtime/bin/containerd-shim-remoteproc-v1 \
		$(TARGET_DIR)/usr/bin/containerd-shim-remoteproc-v1
endef

ifeq ($(BR2_PACKAGE_HYBRID_RUNTIME_SERVICE_USER),y)
define HYBRID_RUNTIME_USERS
	hybrid-runtime -1 hybrid-runtime -1 * /var/lib/hybrid-runtime - - Firmware on auxiliary cores
endef

define HYBRID_RUNTIME_INSTALL_INIT_SYSTEMD
	$(INSTALL) -D -m 0644 $(@D)/system/60-hybrid-runtime.rules \
		$(TARGET_DIR)/usr/lib/udev/rules.d/60-hybrid-runtime.rules
	$(INSTALL) -D -m 0644 $(@D)/system/hybrid-runtime.tmpfiles.conf \
		$(TARGET_DIR)/usr/lib/tmpfiles.d/hybrid-runtime.conf
endef
endif

define HYBRID_RUNTIME_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_REMOTEPROC)
	$(call KCONFIG_ENABLE_OPT,CONFIG_REMOTEPROC_CDEV)
	$(call KCONFIG_ENABLE_OPT,CONFIG_DEBUG_FS)
	$(call KCONFIG_ENABLE_OPT,CONFIG_ALLOW_DEV_COREDUMP)
endef

$(eval $(generic-package))
