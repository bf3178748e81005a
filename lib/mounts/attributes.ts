/** Mount attributes. Source: mount_setattr(2), include/uapi/linux/mount.h. */
export const MOUNT_ATTR_RDONLY = 1;
export const MOUNT_ATTR_NOSUID = 2;
export const MOUNT_ATTR_NODEV = 4;
export const MOUNT_ATTR_NOEXEC = 8;

export interface AttributeChoice {
  readonly readonly?: boolean;
  readonly nosuid?: boolean;
  readonly nodev?: boolean;
  readonly noexec?: boolean;
}

export function mountAttributes(choice: AttributeChoice): number {
  return (
    (choice.readonly ? MOUNT_ATTR_RDONLY : 0) |
    (choice.nosuid ? MOUNT_ATTR_NOSUID : 0) |
    (choice.nodev ? MOUNT_ATTR_NODEV : 0) |
    (choice.noexec ? MOUNT_ATTR_NOEXEC : 0)
  );
}
