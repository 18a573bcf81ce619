/* SPDX-License-Identifier: MIT */
/*
 * Cloister's hypercall: what dom0 may ask about protected guests.
 *
 *   long hypercall(CLOISTER_HYPERCALL, cmd, arg)
 *
 * cmd is one of CLOISTER_OP_*; arg points to the structure of that command in
 * the caller's memory.  The caller sets .revision (and what the comments mark
 * "in"); Xen fills in the rest.  Returns 0 or -errno:
 *
 *   -ENOSYS      this Xen has no Cloister
 *   -EPERM       the caller is not the control domain; secret, report: not a
 *                protected guest
 *   -ESRCH       no such domain
 *   -ENOENT      no entry with that number; log: the domain was not measured
 *   -EOPNOTSUPP  unknown command, or a revision that this Xen does not speak
 *   -EBUSY       too late: the domain has run already
 *   -EINVAL      protect: not an HVM or PVH guest, or Cloister is off; off:
 *                not with cloister=optin
 *
 * protect succeeds also where a seal will be refused later (no TPM, say): who
 * asked for protection then gets a guest that does not run, not an open one.
 *
 * All fields are little-endian, of fixed width and naturally aligned; there
 * is no hidden padding.  The revision goes up with any change of layout or
 * meaning.  No field ever holds guest memory, registers or keys.
 */
#ifndef CLOISTER_ABI_HYPERCALL_H
#define CLOISTER_ABI_HYPERCALL_H

#include <stdint.h>

#include "call.h"
#include "evidence.h"
#include "migrate.h"
#include "record.h"

#define CLOISTER_HYPERCALL      55      /* __HYPERVISOR_arch_7 */
#define CLOISTER_ABI_REVISION   1

#define CLOISTER_OP_host        0       /* struct cloister_host */
#define CLOISTER_OP_domain      1       /* struct cloister_domain_info */
#define CLOISTER_OP_refusal     2       /* struct cloister_refusal */
#define CLOISTER_OP_protect     3       /* struct cloister_protect */
#define CLOISTER_OP_ledger      4       /* struct cloister_ledger */
#define CLOISTER_OP_counts      5       /* struct cloister_counts */
#define CLOISTER_OP_images      16      /* struct cloister_images */
#define CLOISTER_OP_dump        17      /* struct cloister_dump */
#define CLOISTER_OP_migrate     18      /* struct cloister_migrate */
#define CLOISTER_OP_net_host    20      /* struct cloister_net_host */
#define CLOISTER_OP_net_port    21      /* struct cloister_net_port */
#define CLOISTER_OP_net_set     22      /* struct cloister_net_set */

#define CLOISTER_OP_log         8       /* struct cloister_log */
#define CLOISTER_OP_hostkey     9       /* struct cloister_hostkey */
#define CLOISTER_OP_provision   10      /* struct cloister_provision */

/* Asked by a protected guest about itself. */
#define CLOISTER_OP_secret      11      /* struct cloister_secret */
#define CLOISTER_OP_report      12      /* struct cloister_report */

/* cloister_host.mode: the cloister= option on Xen's command line. */
#define CLOISTER_MODE_off       0
#define CLOISTER_MODE_on        1       /* every HVM or PVH guest */
#define CLOISTER_MODE_optin     2       /* those that ask */

/* cloister_host.flags */
#define CLOISTER_HOST_aes       (1u << 0)   /* CPU has what the cipher needs */
#define CLOISTER_HOST_iommu     (1u << 1)   /* on, and strict for dom0 */
#define CLOISTER_HOST_intremap  (1u << 2)   /* interrupt remapping on */
#define CLOISTER_HOST_tpm       (1u << 3)   /* TPM answers at locality 2 */
#define CLOISTER_HOST_unsafe    (1u << 4)   /* unsafe-lab: checks waived */

struct cloister_host {
    uint32_t revision;          /* in */
    uint32_t mode;
    uint32_t flags;
    uint32_t reason;            /* why nothing can be protected, or 0 */
    uint32_t protected_domains; /* sealed and not yet destroyed */
    uint32_t key_slots;
    uint64_t table_bytes;       /* SMM's tables, all domains together */
    uint64_t refusals;          /* number of the newest refusal, 0: none */
    uint64_t tpm_random;        /* bytes taken from TPM2_GetRandom */
    uint64_t views_live;        /* frames with a view that are still mapped */
    uint64_t views_limit;       /* no more of them than this */
};

/* cloister_domain_info.state */
#define CLOISTER_DOM_unprotected    0
#define CLOISTER_DOM_building       1
#define CLOISTER_DOM_sealing        2
#define CLOISTER_DOM_sealed         3
#define CLOISTER_DOM_dying          4

/* Index into cloister_domain_info.pages. */
#define CLOISTER_PAGE_free          0   /* unused in this structure */
#define CLOISTER_PAGE_building      1
#define CLOISTER_PAGE_private       2
#define CLOISTER_PAGE_shared        3
#define CLOISTER_PAGE_leaving       4
#define CLOISTER_PAGE_incoming      5   /* ciphertext from a saved image */
#define CLOISTER_PAGE_resting       6   /* ciphertext, encrypted in place */
#define CLOISTER_PAGE_STATES        8   /* room for later states */

struct cloister_domain_info {
    uint32_t revision;          /* in */
    uint16_t domid;             /* in */
    uint16_t state;
    uint32_t reason;            /* why it is not protected, or 0 */
    uint32_t key_slot;          /* ~0: none */
    uint64_t detail;            /* no_memory: pages asked for; foreign_map and
                                   bad_page: gfn; else 0 */
    uint64_t pages[CLOISTER_PAGE_STATES];
    uint64_t epoch;             /* of the key: unique since boot */
    uint64_t nonces;            /* used with this key */
    uint64_t views_given;
    uint64_t refused;           /* requests refused to other domains */
    uint64_t table_bytes;       /* SMM's memory for this domain */
    uint64_t moved;             /* pages replaced at seal, as dom0 held them */
};

/*
 * The last refused seals, so that the reason can be found after xl has
 * destroyed the domain.  Numbers count from 1; Xen keeps the newest 32.
 */
struct cloister_refusal {
    uint32_t revision;          /* in */
    uint16_t domid;
    uint16_t pad;
    uint64_t number;            /* in */
    uint64_t time;              /* ns since boot */
    uint32_t reason;
    uint32_t pad2;
    uint64_t detail;
    uint8_t  uuid[16];          /* the domain's handle */
};

/*
 * Ask for protection of a domain that has not run yet (cloister=optin).  off:
 * the domain is not to be protected.  Else one whose UUID is that of a domain
 * that was protected, and has ended, is so without being asked for: Xen
 * remembers the last 1024 of these.
 */
struct cloister_protect {
    uint32_t revision;          /* in */
    uint16_t domid;             /* in */
    uint16_t off;               /* in: 0, or 1 */
};

#define CLOISTER_DOMID_HOST     0xffff  /* the host, not one domain */

/*
 * What others have been refused.  Requests that differ only in .detail share
 * an entry.  Numbers count from 1; Xen keeps the newest CLOISTER_LEDGER_SIZE.
 * Nobody can change or clear it.  -ENOENT: not there (any more).
 */
#define CLOISTER_LEDGER_SIZE    128

#define CLOISTER_OP_UNKNOWN     0xffffffffu

struct cloister_ledger {
    uint32_t revision;          /* in */
    uint16_t domid;             /* whose; CLOISTER_DOMID_HOST */
    uint16_t caller;            /* domain that asked */
    uint64_t number;            /* in */
    uint64_t first, last;       /* ns since boot */
    uint64_t count;
    uint16_t call;              /* CLOISTER_CALL_* */
    uint16_t reason;
    uint32_t op;                /* CLOISTER_OP_UNKNOWN: detail has its number */
    uint64_t detail;            /* of the last one; its meaning is the call's */
    uint8_t  uuid[16];          /* the domain's handle */
};

/* Refusals of a living domain, or of the host, by reason. */
#define CLOISTER_COUNT_FIRST    31      /* counts[i] is of reason 31 + i */
#define CLOISTER_COUNTS         32

struct cloister_counts {
    uint32_t revision;          /* in */
    uint16_t domid;             /* in; CLOISTER_DOMID_HOST */
    uint16_t pad;
    uint64_t newest;            /* entry of the ledger, 0: none */
    uint64_t counts[CLOISTER_COUNTS];
};

/* ---- Secure I/O management: the siom= option on Xen's command line ---- */

/* cloister_net_host.flags */
#define CLOISTER_NET_on         (1u << 0)
#define CLOISTER_NET_nic        (1u << 1)   /* else guest to guest only */
#define CLOISTER_NET_link       (1u << 2)   /* the NIC's */

struct cloister_net_host {
    uint32_t revision;          /* in */
    uint32_t flags;
    uint32_t ports;             /* guests with a network card */
    uint32_t sbdf;              /* the NIC: segment, bus, device, function */
    uint16_t vlan;              /* of guests without one, on the wire */
    uint16_t mtu;               /* of guests that are not given another */
    uint32_t pad;
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;  /* the NIC's */
    uint64_t rx_errors, rx_missed, tx_errors;
    uint64_t resets, link_changes;
    uint64_t unclaimed;         /* received, for none of the guests */
};

/* Index into cloister_net_port.drops. */
#define CLOISTER_NET_DROPS      16          /* room for later reasons */

#define CLOISTER_NET_DROP_NAMES                                               \
    "spoofed", "malformed", "tagged", "no-target", "isolated", "too-long",    \
    "link", "rx-full", "rx-buffer", "rx-down"

struct cloister_net_port {
    uint32_t revision;          /* in */
    uint16_t domid;             /* in */
    uint8_t  active;            /* the guest has been sealed */
    uint8_t  up;                /* its driver runs */
    uint8_t  mac[6];            /* zero: made from the UUID at the seal */
    uint16_t vlan;
    uint16_t mtu;
    uint16_t isolated;
    uint32_t pad;
    uint64_t rate;              /* bytes a second that it may send, 0: any */
    uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes;
    uint64_t doorbells, interrupts;
    uint64_t violations, resets;
    uint64_t drops[CLOISTER_NET_DROPS];
};

/* cloister_net_set.fields: which of the others count */
#define CLOISTER_NET_SET_mac        (1u << 0)
#define CLOISTER_NET_SET_vlan       (1u << 1)
#define CLOISTER_NET_SET_mtu        (1u << 2)
#define CLOISTER_NET_SET_isolated   (1u << 3)
#define CLOISTER_NET_SET_rate       (1u << 4)

/*
 * For a domain that has not run yet; -EBUSY: it has; -EINVAL: a value that
 * cannot be; -ENODEV: it has no network card of ours.
 */
struct cloister_net_set {
    uint32_t revision;          /* in, like all of it */
    uint16_t domid;
    uint16_t fields;
    uint8_t  mac[6];
    uint16_t vlan;
    uint16_t mtu;
    uint16_t isolated;
    uint32_t pad;
    uint64_t rate;
};

/*
 * Part of a launch log (a guest may ask for its own, as CLOISTER_LOG_SELF), or of the host's event log (evidence.h).  Ask for
 * offset 0, then for what follows, until total; start again if generation has
 * changed (the host's log has become shorter).
 */
#define CLOISTER_LOG_HOST       0xffff  /* domid: the host's event log */
#define CLOISTER_LOG_SELF       0x7ff0  /* DOMID_SELF */
#define CLOISTER_LOG_CHUNK      952

struct cloister_log {
    uint32_t revision;          /* in */
    uint16_t domid;             /* in */
    uint16_t pad;
    uint64_t offset;            /* in */
    uint64_t total;             /* bytes of the log */
    uint64_t generation;
    uint8_t  measurement[32];   /* of the domain; zeros for the host */
    uint32_t length;            /* bytes in data */
    uint32_t pad2;
    uint8_t  data[CLOISTER_LOG_CHUNK];
};

/*
 * The host key (hostkey.h).  load: the blob that an earlier boot gave; create:
 * a new one, if there is none; both return the blob, and fail with
 *
 *   -EEXIST      there is a host key already: get it
 *   -EBADMSG     not a blob that Xen has made on this host
 *   -ENXIO       of another TPM, or of this one before it was cleared
 *   -EACCES      made with other firmware, another boot loader, another Xen,
 *                or other options
 *   -ENODEV, -EIO, -ETIMEDOUT  the TPM
 */
#define CLOISTER_HOSTKEY_get    0
#define CLOISTER_HOSTKEY_load   1
#define CLOISTER_HOSTKEY_create 2

#define CLOISTER_HOSTKEY_MAX    1000

struct cloister_hostkey {
    uint32_t revision;          /* in */
    uint32_t action;            /* in */
    uint32_t state;             /* 1: there is a host key */
    uint32_t length;            /* in for load: bytes in blob */
    uint8_t  blob[CLOISTER_HOSTKEY_MAX];        /* in for load */
};

/*
 * A secret for a guest, as its owner has sealed it (secret.h).  -EAGAIN: call
 * again, in 10 ms or so, with the same arguments; in the end 0, or
 *
 *   -ENOENT      the domain was not started protected in this boot
 *   -EEXIST      it has been given a secret already
 *   -EBADMSG     not a sealed secret
 *   -ENXIO       sealed to another TPM (or to this one before it was cleared),
 *                or changed
 *   -EACCES      sealed to other firmware, another boot loader, another Xen,
 *                or other options
 *   -EXDEV       for a guest that has been started from something else
 *   -ENODEV, -EIO, -ETIMEDOUT  the TPM
 *
 * domid CLOISTER_DOMID_HOST: an owner's migration key (migrate.h) for this
 * host; Xen keeps the newest CLOISTER_OWNERS of them until the host goes down.
 */
#define CLOISTER_SECRET_BLOB    1000
#define CLOISTER_OWNERS         16

struct cloister_provision {
    uint32_t revision;          /* in, like all of it */
    uint16_t domid;
    uint16_t pad;
    uint32_t length;            /* bytes in blob */
    uint32_t pad2;
    uint8_t  blob[CLOISTER_SECRET_BLOB];
};

/*
 * The secret that the caller was given, once: -ENOENT: not yet, ask again;
 * -EEXIST: it has had it.  proof: the blob's public part and then its signature
 * (secret.h), of `public` and `signature` bytes: the TPM says that the secret
 * is the public part's.
 */
#define CLOISTER_SECRET_MAX     80
#define CLOISTER_SECRET_PROOF   256

struct cloister_secret {
    uint32_t revision;          /* in */
    uint16_t length;            /* bytes of the secret */
    uint16_t public;
    uint16_t signature;
    uint16_t pad[3];
    uint8_t  secret[CLOISTER_SECRET_MAX];
    uint8_t  proof[CLOISTER_SECRET_PROOF];
};

/*
 * A report on the caller (evidence.h), quoted by the TPM.  -EAGAIN: not ready;
 * call again, in 20 ms or so, with the same data.
 */
#define CLOISTER_REPORT_QUOTE   256
#define CLOISTER_REPORT_SIGN    128

struct cloister_report {
    uint32_t revision;          /* in */
    uint16_t quote_length;      /* bytes of the TPMS_ATTEST */
    uint16_t signature_length;  /* bytes of the TPMT_SIGNATURE */
    struct cloister_report_body body;   /* in: .data only */
    uint8_t  quote[CLOISTER_REPORT_QUOTE];
    uint8_t  signature[CLOISTER_REPORT_SIGN];
};

/*
 * The list of saved images that may still be restored (images.h): get: as it
 * is now, for dom0 to keep; load: what an earlier boot gave, before any guest
 * is saved or restored.  peek only fills in counter and changes, which tell
 * when there is something new to get.
 *
 *   -ENOENT      there is no host key (yet)
 *   -EBADMSG     not a list that Xen has made, or the TPM's counter is not
 *                Cloister's
 *   -ENXIO       made with another host key
 *   -ENODATA      older: an image has been used since it was given out
 *   -EBUSY       too late, or loaded already
 *   -ENOBUFS     it is longer than that
 *   -ENODEV, -EIO, -ETIMEDOUT  the TPM
 */
#define CLOISTER_IMAGES_peek    0
#define CLOISTER_IMAGES_get     1
#define CLOISTER_IMAGES_load    2

struct cloister_images {
    uint32_t revision;          /* in */
    uint32_t action;            /* in */
    uint32_t length;            /* in: bytes at buffer; get: bytes of the list */
    uint32_t pad;
    uint64_t buffer;            /* in: address in the caller's memory */
    uint64_t counter;           /* the TPM's, 0: not known */
    uint64_t changes;           /* goes up when the list changes */
};

/*
 * What the owner of a guest needs to read its core (dump.h): its key, encrypted
 * to his, and a record of the views that were taken.
 *
 *   -EINVAL      not a protected guest that is alive
 *   -EACCES      its command line does not name this key
 *   -EAGAIN      somebody took views meanwhile
 *   -ENODATA     pages have gone to rest since they were read
 *   -ENOBUFS     the record may be longer than that: .length is enough
 *   -E2BIG       it would be longer than any can be
 *   -ENODEV, -EIO, -ETIMEDOUT  the TPM
 */
struct cloister_dump {
    uint32_t revision;          /* in */
    uint16_t domid;             /* in */
    uint16_t pad;
    uint64_t buffer;            /* in: address in the caller's memory */
    uint32_t length;            /* in: bytes there; then: of the record, or
                                   (-ENOBUFS) that it may need */
    uint32_t pad2;
    uint8_t  modulus[256];      /* in: of the owner's RSA key, big-endian */
    uint8_t  wrapped[256];
};

/*
 * The key of a guest that moves to another host (migrate.h), in this order:
 *
 *   owner    on the source: whose migration key it goes by
 *   offer    on the target, whose domain has been given pages and record: a
 *            challenge, which no other domain gets, and the proof that this
 *            host has the owner's key
 *   release  on the source, whose guest is suspended and saved: the guest's
 *            key for this challenge.  From now on nothing else is done with
 *            the guest here; asked again, it gives the same
 *   receive  on the target: now the domain can be unpaused
 *
 *   -ESRCH       there is no such domain, or it is ending
 *   -EINVAL      it is not in that state
 *   -ENOENT      the owner's migration key is not on this host
 *   -EPERM       offer: the domain could not be sealed, and cloister why says
 *                why
 *   -EXDEV       release: the guest would not fit there: .cpu or .cards
 *   -EACCES      release: the proof is wrong: not one of the owner's hosts, or
 *                not the record that was sent; receive: the guest is refused,
 *                and cloister why says why
 *   -EEXIST      offer: it has its key; release: it was released to another
 *                challenge, or its image has been restored
 *   -EBADMSG     receive: not what was released for this challenge
 *   -EIO, -ENODEV, -ETIMEDOUT  the TPM, or no random numbers
 */
#define CLOISTER_MIGRATE_owner      0
#define CLOISTER_MIGRATE_offer      1
#define CLOISTER_MIGRATE_release    2
#define CLOISTER_MIGRATE_receive    3

struct cloister_migrate {
    uint32_t revision;          /* in */
    uint16_t domid;             /* in */
    uint16_t action;            /* in */
    uint8_t  owner[32];         /* in for offer */
    uint8_t  challenge[CLOISTER_CHALLENGE];     /* in for release */
    uint8_t  proof[32];         /* in for release */
    uint8_t  cpu[32];           /* in for release: SHA-256 of the CPU policy
                                   that the domain has there */
    uint32_t cards;             /* in for release: not 0: it has a network
                                   card of SIOM's there.  Neither is proved:
                                   who lies loses the guest, and no more */
    uint32_t pad;
    struct cloister_record_key key;             /* in for receive */
};

#endif /* CLOISTER_ABI_HYPERCALL_H */
