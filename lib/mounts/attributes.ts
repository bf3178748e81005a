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

/** Own members only: nothing that Object.prototype was given. */
export function mountAttributes(choice: AttributeChoice): number {
  const given = (name: keyof AttributeChoice, attribute: number): number =>
    Object.hasOwn(choice, name) && choice[name] ? attribute : 0;
  return (
    given('readonly', MOUNT_ATTR_RDONLY) |
    given('nosuid', MOUNT_ATTR_NOSUID) |
    given('nodev', MOUNT_ATTR_NODEV) |
    given('noexec', MOUNT_ATTR_NOEXEC)
  );
}
