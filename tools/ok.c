/* SPDX-License-Identifier: BSD-2-Clause */
/* cloister ok: what protection needs, and whether it is there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cloister.h"
#include "hyp.h"
#include "output.h"

struct ok
{
    bool json;
    struct json_object *list;
    enum cli_exit status;
};

/* mend: what to do where it is not. */
static void note(struct ok *ok, bool passed, const char *what,
                 const char *mend)
{
    if ( ok->json )
    {
        struct json_object *obj = json_object_new_object();

        json_add_text(obj, "check", what);
        json_add_flag(obj, "passed", passed);
        json_add_text(obj, "mend", passed ? NULL : mend);
        json_object_array_add(ok->list, obj);
    }
    else
        printf("%s  %s%s%s\n", passed ? "PASS" : "FAIL", what,
               passed ? "" : ": ", passed ? "" : mend);
    if ( !passed )
        ok->status = CLI_FAILURE;
}

static void check_host(struct ok *ok, const struct cloister_host *h)
{
    const struct reason_text *why = reason_text(h->reason);

    note(ok, h->mode != CLOISTER_MODE_off, "Cloister is on",
         "remove cloister=off from Xen's command line");
    note(ok, h->flags & CLOISTER_HOST_aes, "the CPU has AES, PCLMULQDQ, SSE4.1",
         "use a CPU that has them");
    note(ok, h->flags & CLOISTER_HOST_iommu, "the IOMMU confines dom0",
         "switch the IOMMU on in the firmware, and leave iommu= alone");
    note(ok, h->flags & CLOISTER_HOST_intremap, "interrupts are remapped",
         "switch interrupt remapping (x2APIC, VT-d) on in the firmware");
    note(ok, h->flags & CLOISTER_HOST_tpm, "the TPM answers at locality 2",
         "switch the TPM 2.0 on in the firmware; see xl dmesg");
    note(ok, !(h->flags & CLOISTER_HOST_unsafe), "no check is waived",
         "remove unsafe-lab from Xen's command line");
    note(ok, !h->reason, "guests can be protected",
         *why->mend ? why->mend : why->what);
}

static void check_key(struct ok *ok, struct hyp *hyp)
{
    struct cloister_hostkey key = {.action = CLOISTER_HOSTKEY_get};

    note(ok, !hyp_hostkey(hyp, &key) && key.state, "there is a host key",
         "cloister keys (at each boot: cloister-keys.service)");
}

enum cli_exit cmd_ok(const struct request *req)
{
    struct ok ok = {.json = req->json};
    struct json_object *answer;
    struct cloister_host host;
    struct hyp *hyp = hyp_open();
    int rc = hyp ? hyp_host(hyp, &host) : -errno;

    if ( ok.json )
        ok.list = json_object_new_array();
    note(&ok, !rc, "Xen has Cloister, and this is dom0, as root",
         "boot Xen with Cloister (make xen), and run this as root in dom0");
    if ( !rc )
    {
        check_host(&ok, &host);
        check_key(&ok, hyp);
    }
    hyp_close(hyp);
    if ( ok.json )
    {
        answer = json_new_answer();
        json_add_flag(answer, "ok", !ok.status);
        json_object_object_add(answer, "checks", ok.list);
        json_finish(answer);
    }

    return rc ? CLI_UNREACHABLE : ok.status;
}
