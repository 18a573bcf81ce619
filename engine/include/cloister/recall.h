/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMs that were protected and have ended, by UUID: a toolstack that builds one
 * of them anew (the guest has rebooted) asks nobody for protection.
 *
 * The newest CL_RECALL_IDS are kept, in memory that the caller hands in.  Takes
 * no lock: callers serialise all calls on one list.
 */
#ifndef CLOISTER_RECALL_H
#define CLOISTER_RECALL_H

#include <stdbool.h>
#include <stdint.h>

#define CL_RECALL_IDS       1024u
#define CL_UUID_SIZE        16u

/* All-zero is a valid empty list. */
struct cl_recall {
    uint32_t used;                              /* of id, the oldest first */
    uint8_t id[CL_RECALL_IDS][CL_UUID_SIZE];
};

/*
 * The VM has ended: it is the newest now.  If the list is full the oldest is
 * forgotten.
 */
void cl_recall_add(struct cl_recall *r, const uint8_t id[CL_UUID_SIZE]);

/* Is it on the list? */
bool cl_recall_has(const struct cl_recall *r, const uint8_t id[CL_UUID_SIZE]);

/* Takes it off the list; nothing happens if it is not there. */
void cl_recall_drop(struct cl_recall *r, const uint8_t id[CL_UUID_SIZE]);

#endif
