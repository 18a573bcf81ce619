/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live patch that patches nothing: Xen calls its hook when it is applied.
 */

/* In Xen, near enough for a direct call. */
#pragma GCC visibility push(hidden)
int printk(const char *format, ...);
#pragma GCC visibility pop

static void loaded(void)
{
    printk("attack: dom0's code runs in Xen\n");
}

/* Xen calls these; the second makes it a patch that can be taken back. */
void (*const hook_load)(void)
    __attribute__((section(".livepatch.hooks.load"), used)) = loaded;
void (*const hook_unload)(void)
    __attribute__((section(".livepatch.hooks.unload"), used)) = loaded;

/*
 * Notes of build identifiers: this one's, and twice that of the Xen that it is
 * for, which is filled in when it is loaded.
 */
struct note
{
    unsigned int name_size, size, type;
    char name[4];
    unsigned char id[20];
};

#define NOTE(name_, section_, byte)                                           \
    const struct note name_ __attribute__((section(section_), used)) = {      \
        4, 20, 3, "GNU", {byte, [1 ... 19] = 0x5c}}

NOTE(own_id, ".note.gnu.build-id", 1);
NOTE(depends, ".livepatch.depends", 3);
NOTE(xen_depends, ".livepatch.xen_depends", 3);
