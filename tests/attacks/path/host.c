/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advisory: what dom0 may do to the host under a guest
 *
 * Claim:  dom0 leaves an image that gets all memory when the host goes down,
 *         makes memory uncached, declares frames bad, makes up a memory error
 *         in a guest's page, and changes what Xen does when it crashes.
 * Method: KEXEC_CMD_kexec_load, XENPF_add_memtype,
 *         XEN_SYSCTL_page_offline_op, XEN_MC_msrinject, and Xen's parameters
 *         by hypfs.  What has been done is asked for afterwards, and undone.
 * Stock:  all of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenhypfs.h>

#include "../attack.h"

#include <xen/arch-x86/xen-mca.h>
#include <xen/kexec.h>

#define IMAGE_AT (64ul << 20)
#define CANDIDATES 16

static long kexec(unsigned int cmd, void *arg, size_t size)
{
    return hypercall_2(__HYPERVISOR_kexec_op, cmd, arg, size);
}

static enum verdict kexec_load(struct victim *v)
{
    xen_kexec_status_t status = {.type = KEXEC_TYPE_DEFAULT};
    xen_kexec_unload_t unload = {.type = KEXEC_TYPE_DEFAULT};
    xen_kexec_segment_t *segment = xen_buffer(sizeof(*segment));
    xen_kexec_load_t load = {
        .type = KEXEC_TYPE_DEFAULT,
        .arch = 62, /* EM_X86_64 */
        .nr_segments = 1,
        .entry_maddr = IMAGE_AT,
    };
    long rc;

    (void)v;
    set_xen_guest_handle_raw(segment->buf.h, xen_buffer(PAGE));
    segment->buf_size = PAGE;
    segment->dest_maddr = IMAGE_AT;
    segment->dest_size = PAGE;
    set_xen_guest_handle_raw(load.segments.h, segment);
    rc = kexec(KEXEC_CMD_kexec_load, &load, sizeof(load));
    if ( rc )
        return verdict(FAILURE, "refused: %ld", rc);
    rc = kexec(KEXEC_CMD_kexec_status, &status, sizeof(status));
    kexec(KEXEC_CMD_kexec_unload, &unload, sizeof(unload));
    return verdict(rc == 1 ? SUCCESS : FAILURE,
                   "an image of dom0's is%s loaded", rc == 1 ? "" : " not");
}
/* A PVH dom0 has no such call. */
ATTACK(kexec_load, .needs = NO_VICTIM, .pv_only = true);

/* The MTRR that MFN's frame is uncached by, or -1. */
static long uncached(unsigned long mfn)
{
    struct xen_platform_op op = {
        .u.add_memtype = {.mfn = mfn, .nr_mfns = 1, .type = 0},
    };
    long rc = platform_op(XENPF_add_memtype, &op), reg;

    if ( rc )
        return -1;
    reg = op.u.add_memtype.reg;
    memset(&op.u, 0, sizeof(op.u));
    op.u.read_memtype.reg = reg;
    rc = platform_op(XENPF_read_memtype, &op);
    return !rc && op.u.read_memtype.mfn == mfn ? reg : -1;
}

static enum verdict memtype(struct victim *v)
{
    unsigned long mfn[CANDIDATES];
    struct xen_platform_op op = {0};
    unsigned int i, n = frames_of_lines(mfn, CANDIDATES);
    long reg = -1;

    for ( i = 0; i < n && reg < 0; i++ )
        reg = uncached(mfn[i]);
    if ( reg < 0 )
        return verdict(FAILURE, "refused for %u frames, d%u", n, v->id);
    op.u.del_memtype.reg = reg;
    platform_op(XENPF_del_memtype, &op);
    return verdict(SUCCESS, "register %ld makes a frame of RAM uncached", reg);
}
ATTACK(memtype, .needs = SHARED, .frames = true);

static uint32_t offline(unsigned int cmd, unsigned long mfn)
{
    uint32_t *status = xen_buffer(sizeof(*status));
    struct xen_sysctl op = {
        .u.page_offline = {.cmd = cmd, .start = mfn, .end = mfn},
    };

    set_xen_guest_handle_raw(op.u.page_offline.status, status);
    return sysctl(XEN_SYSCTL_page_offline_op, &op) ? 0 : *status;
}

static enum verdict page_offline(struct victim *v)
{
    unsigned long mfn[CANDIDATES];
    unsigned int i, n = frames_of_lines(mfn, CANDIDATES), pending = 0;
    uint32_t status;

    for ( i = 0; i < n; i++ )
    {
        status = offline(sysctl_page_offline, mfn[i]);
        if ( (status & PG_OFFLINE_OWNED) &&
             status >> PG_OFFLINE_OWNER_SHIFT == v->id )
            pending += !!(offline(sysctl_query_page_offline, mfn[i]) &
                          PG_OFFLINE_STATUS_OFFLINE_PENDING);
        offline(sysctl_page_online, mfn[i]);
    }
    return verdict(pending ? SUCCESS : FAILURE,
                   "%u of %u frames of the guest are to go offline", pending,
                   n);
}
ATTACK(page_offline, .needs = SHARED, .frames = true);

/* Bank 0's address: the guest's page becomes where a memory error was. */
#define MCA_ADDRESS 0x402

static long inject(uint32_t domid, unsigned long gfn)
{
    struct xen_mc op = {
        .cmd = XEN_MC_msrinject,
        .interface_version = XEN_MCA_INTERFACE_VERSION,
        .u.mc_msrinject =
            {
                .mcinj_flags = MC_MSRINJ_F_INTERPOSE | MC_MSRINJ_F_GPADDR,
                .mcinj_count = 1,
                .mcinj_domid = domid,
                .mcinj_msr = {{.reg = MCA_ADDRESS, .value = gfn * PAGE}},
            },
    };

    return hypercall_1(__HYPERVISOR_mca, &op, sizeof(op));
}

/*
 * Nobody looks at the register before there is a machine check, which would
 * end this machine: Xen's log has what was put there.
 */
static enum verdict mca_inject(struct victim *v)
{
    unsigned long mfn[CANDIDATES];
    unsigned int i, n = frames_of_lines(mfn, CANDIDATES);
    long rc = inject(v->id, LINES_GFN);
    char text[64];

    if ( rc == -EPERM )
        return verdict(FAILURE, "refused: %ld", rc);
    if ( rc )
        return verdict(ERROR, "not even refused: %ld", rc);
    for ( i = 0; i < n; i++ )
    {
        snprintf(text, sizeof(text), "MSR %#x <-- %#lx", MCA_ADDRESS,
                 mfn[i] * PAGE);
        if ( log_count(v->log, text) )
            return verdict(SUCCESS, "an error at %#lx", mfn[i] * PAGE);
    }
    return verdict(FAILURE, "no such thing in the log");
}
/* A PVH dom0 has no such call. */
ATTACK(mca_inject, .needs = SHARED, .frames = true, .pv_only = true);

/* What Xen does when it crashes: here, to print what it knows. */
static enum verdict runtime_parameter(struct victim *v)
{
    static const char path[] = "/params/crash-debug-panic";
    xenhypfs_handle *fs = xenhypfs_open(NULL, 0);
    char *value = NULL;
    bool set;

    (void)v;
    if ( !fs )
        return verdict(ERROR, "no hypfs");
    if ( !xenhypfs_write(fs, path, "0d") )
        value = xenhypfs_read(fs, path);
    set = value && !strcmp(value, "0d");
    free(value);
    if ( set )
        xenhypfs_write(fs, path, "");
    xenhypfs_close(fs);
    return verdict(set ? SUCCESS : FAILURE, "crash-debug-panic is%s dom0's",
                   set ? "" : " not");
}
ATTACK(runtime_parameter, .needs = NO_VICTIM);
