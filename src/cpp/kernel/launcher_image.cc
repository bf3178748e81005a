// The launcher's bytes inside the addon, so that one file ships.
asm(".section .rodata\n"
    ".balign 16\n"
    ".global launcher_image\n"
    "launcher_image:\n"
    ".incbin \"launcher\"\n"
    ".global launcher_image_end\n"
    "launcher_image_end:\n"
    ".byte 0\n"
    ".previous\n");
