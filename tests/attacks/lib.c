/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls, mappings, the marker: see attack.h. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xencall.h>
#include <xentoollog.h>

#include "attack.h"

#include <abi/hypercall.h>

#include <lines.h>

xc_interface *xch;
xenforeignmemory_handle *fmem;
bool pvh_dom0;
char detail[160];

static xencall_handle *call;

void lib_init(void)
{
    xentoollog_logger *quiet =
        (void *)xtl_createlogger_stdiostream(stderr, XTL_CRITICAL, 0);
    char kind[16] = "";
    FILE *f = fopen("/sys/hypervisor/guest_type", "r");

    if ( f && fgets(kind, sizeof(kind), f) )
        pvh_dom0 = !strncmp(kind, "PVH", 3);
    if ( f )
        fclose(f);
    /* Failures are what this is about: no log of them. */
    xch = xc_interface_open(quiet, quiet, 0);
    call = xencall_open(NULL, 0);
    fmem = xenforeignmemory_open(NULL, 0);
    if ( !xch || !call || !fmem )
    {
        perror("attack: no Xen");
        exit(2);
    }
}

enum verdict verdict(enum verdict v, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    return v;
}

long hypercall(unsigned int number, unsigned long a, unsigned long b,
               unsigned long c, unsigned long d)
{
    long rc = xencall4(call, number, a, b, c, d);

    return rc < 0 ? -errno : rc;
}

void *xen_buffer(size_t size)
{
    void *buffer = xencall_alloc_buffer(call, size);

    if ( !buffer )
        abort();
    return memset(buffer, 0, size);
}

long hypercall_2(unsigned int number, unsigned long op, void *arg, size_t size)
{
    void *buffer = xen_buffer(size);
    long rc;

    memcpy(buffer, arg, size);
    rc = hypercall(number, op, (unsigned long)buffer, 0, 0);
    memcpy(arg, buffer, size);
    xencall_free_buffer(call, buffer);
    return rc;
}

long hypercall_1(unsigned int number, void *arg, size_t size)
{
    void *buffer = xen_buffer(size);
    long rc;

    memcpy(buffer, arg, size);
    rc = hypercall(number, (unsigned long)buffer, 0, 0, 0);
    memcpy(arg, buffer, size);
    xencall_free_buffer(call, buffer);
    return rc;
}

long domctl(uint32_t domid, uint32_t cmd, struct xen_domctl *op)
{
    op->cmd = cmd;
    op->domain = domid;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return hypercall_1(__HYPERVISOR_domctl, op, sizeof(*op));
}

long sysctl(uint32_t cmd, struct xen_sysctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return hypercall_1(__HYPERVISOR_sysctl, op, sizeof(*op));
}

long platform_op(uint32_t cmd, struct xen_platform_op *op)
{
    op->cmd = cmd;
    op->interface_version = XENPF_INTERFACE_VERSION;
    return hypercall_1(__HYPERVISOR_platform_op, op, sizeof(*op));
}

long memory_op(unsigned int cmd, void *arg, size_t size)
{
    return hypercall_2(__HYPERVISOR_memory_op, cmd, arg, size);
}

long cloister_op(unsigned int cmd, void *arg, size_t size)
{
    return hypercall_2(CLOISTER_HYPERCALL, cmd, arg, size);
}

long dm_op(uint32_t domid, struct xen_dm_op *op)
{
    struct xen_dm_op_buf *buf = xen_buffer(sizeof(*buf));
    struct xen_dm_op *copy = xen_buffer(sizeof(*copy));
    long rc;

    *copy = *op;
    set_xen_guest_handle_raw(buf->h, (void *)copy);
    buf->size = sizeof(*copy);
    rc = hypercall(__HYPERVISOR_dm_op, domid, 1, (unsigned long)buf, 0);
    *op = *copy;
    xencall_free_buffer(call, copy);
    xencall_free_buffer(call, buf);
    return rc;
}

long set_param(uint32_t domid, uint32_t index, uint64_t value)
{
    struct xen_hvm_param param = {
        .domid = domid,
        .index = index,
        .value = value,
    };

    return hypercall_2(__HYPERVISOR_hvm_op, HVMOP_set_param, &param,
                       sizeof(param));
}

void marker_words(uint32_t word[VICTIM_WORDS])
{
    line_marker((char *)word);
}

unsigned long markers_in(const void *memory, size_t size)
{
    const char *at = memory, *end = at + size;
    uint32_t word[VICTIM_WORDS];
    unsigned long found = 0;

    marker_words(word);
    while ( (at = memmem(at, end - at, word, sizeof(word))) )
    {
        found++;
        at += sizeof(word);
    }
    return found;
}

bool secret_registers(uint64_t esi, uint64_t edi, uint64_t ebp)
{
    uint32_t word[VICTIM_WORDS];

    marker_words(word);
    return esi == word[0] && edi == word[1] && ebp == word[2];
}

void *map_page(uint32_t domid, unsigned long gfn, bool write)
{
    xen_pfn_t pfn = gfn;

    return xenforeignmemory_map(
        fmem, domid, PROT_READ | (write ? PROT_WRITE : 0), 1, &pfn, NULL);
}

void unmap_page(void *page)
{
    if ( page )
        xenforeignmemory_unmap(fmem, page, 1);
}

int run(const char *program, ...)
{
    const char *argv[16] = {program};
    unsigned int n = 0;
    va_list args;
    int status;
    pid_t pid;

    va_start(args, program);
    while ( argv[n] && n < 15 )
        argv[++n] = va_arg(args, const char *);
    va_end(args);
    argv[15] = NULL;

    pid = fork();
    if ( !pid )
    {
        int quiet =
            open("/tmp/attack.log", O_WRONLY | O_CREAT | O_APPEND, 0600);

        dup2(quiet, 1);
        dup2(quiet, 2);
        execvp(program, (char **)argv);
        _exit(127);
    }
    if ( pid < 0 || waitpid(pid, &status, 0) != pid )
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static sigjmp_buf before;

static void fault(int number)
{
    (void)number;
    siglongjmp(before, 1);
}

int attempt(int (*fn)(void *arg), void *arg)
{
    int rc = -1;

    signal(SIGSEGV, fault);
    signal(SIGBUS, fault);
    if ( !sigsetjmp(before, 1) )
        rc = fn(arg);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    return rc;
}

int in_child(int (*fn)(void *arg), void *arg)
{
    int status;
    pid_t pid = fork();

    if ( !pid )
        _exit(fn(arg));
    if ( pid < 0 || waitpid(pid, &status, 0) != pid )
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

long module_result(const char *name, const char *arguments, const char *result)
{
    char path[128], command[512];
    long value = -1;
    FILE *f;

    snprintf(command, sizeof(command), "insmod /files/%s.ko %s", name,
             arguments);
    if ( run("sh", "-c", command, NULL) )
        return -1;
    snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", name, result);
    f = fopen(path, "r");
    if ( !f || fscanf(f, "%ld", &value) != 1 )
        value = -1;
    if ( f )
        fclose(f);
    run("rmmod", name, NULL);
    return value;
}
