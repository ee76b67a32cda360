include $(sort $(wildcard $(BR2_EXTERNAL_HYBRID_RUNTIME_PATH)/package/*/*.mk))

# For board/rig/post-image.sh.
export HYBRID_LINUX_DIR = $(LINUX_DIR)

# Kconfig drops what is unknown or lacks a dependency without a word: what is configured from this tree's fragments
# has every option they ask for, or is not built.
# $(1): the package's name in capitals
define HYBRID_RUNTIME_CHECK_CONFIGURATION
	$(BR2_EXTERNAL_HYBRID_RUNTIME_PATH)/board/lost-lines.sh $(@D)/.config $(BR2_EXTERNAL_HYBRID_RUNTIME_PATH) \
		$($(1)_KCONFIG_FILE) $($(1)_KCONFIG_FRAGMENT_FILES)
endef

define HYBRID_RUNTIME_CHECK_LINUX_CONFIGURATION
	$(call HYBRID_RUNTIME_CHECK_CONFIGURATION,LINUX)
endef
LINUX_POST_CONFIGURE_HOOKS += HYBRID_RUNTIME_CHECK_LINUX_CONFIGURATION

define HYBRID_RUNTIME_CHECK_BUSYBOX_CONFIGURATION
	$(call HYBRID_RUNTIME_CHECK_CONFIGURATION,BUSYBOX)
endef
BUSYBOX_POST_CONFIGURE_HOOKS += HYBRID_RUNTIME_CHECK_BUSYBOX_CONFIGURATION
