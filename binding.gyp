{
  'targets': [
    {
      # The static program that becomes nursery, supervisor, init and payload: no libc, a few KB.
      'target_name': 'launcher',
      'type': 'executable',
      'sources': [
        'src/cpp/launcher/main.cc',
        'src/cpp/launcher/frame.cc',
        'src/cpp/launcher/nursery.cc',
        'src/cpp/launcher/supervisor.cc',
        'src/cpp/launcher/init.cc',
        'src/cpp/launcher/payload.cc',
        'src/cpp/launcher/network.cc',
        'src/cpp/launcher/ops.cc',
        'src/cpp/launcher/ops_namespace.cc',
        'src/cpp/launcher/ops_mount.cc',
        'src/cpp/launcher/ops_process.cc',
        'src/cpp/launcher/ops_landlock.cc',
        'src/cpp/launcher/mount_legacy.cc',
      ],
      'cflags!': ['-fPIC', '-pthread', '-O3', '-O2', '-g'],
      'cflags_cc!': ['-fPIC', '-pthread', '-std=gnu++17', '-std=gnu++20', '-O3'],
      'cflags_cc': [
        '-std=c++17', '-Os', '-Wall', '-Wextra', '-Werror', '-ffreestanding', '-fno-exceptions', '-fno-rtti',
        '-fno-stack-protector', '-fno-threadsafe-statics', '-fno-asynchronous-unwind-tables', '-fno-pic', '-fno-pie',
        '-ffunction-sections', '-fno-tree-loop-distribute-patterns',
      ],
      'ldflags!': ['-pthread', '-rdynamic'],
      'ldflags': [
        '-static', '-nostdlib', '-nostartfiles', '-no-pie',
        '-Wl,--gc-sections,-z,noexecstack,-z,max-page-size=4096,--build-id=none', '-s',
      ],
      'libraries!': ['-lm'],
    },
    {
      'target_name': 'linux_isolate',
      'dependencies': ['launcher'],
      'sources': [
        'src/cpp/addon.cc',
        'src/cpp/kernel/launcher_image.cc',
        'src/cpp/kernel/spawn.cc',
        'src/cpp/kernel/channel.cc',
        'src/cpp/kernel/files.cc',
        'src/cpp/kernel/seccomp.cc',
        'src/cpp/kernel/bpf.cc',
        'src/cpp/kernel/xattr.cc',
        'src/cpp/kernel/namespaces.cc',
        'src/cpp/kernel/netlink.cc',
        'src/cpp/kernel/landlock.cc',
        'src/cpp/kernel/guest_socket.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_DEPRECATED', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        # A Worker that is being terminated takes no exceptions any more.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS'],
      'cflags!': ['-fno-exceptions'],
      'cflags_cc': ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter', '-fno-exceptions', '-fvisibility=hidden',
        '-Wa,-I<(PRODUCT_DIR)'],  # where .incbin finds the launcher
      # What all threads share has to outlive the Worker that was the only one to load this.
      'ldflags': ['-Wl,-z,nodelete'],
    },
  ],
}
