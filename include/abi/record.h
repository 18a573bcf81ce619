/* SPDX-License-Identifier: MIT */
/*
 * The sealed record: what stands in a saved image for all state of a
 * protected guest that is not in its pages.
 *
 * It travels as one record of the HVM context (type CLOISTER_HVM_CODE,
 * instance 0).  Revision 0, which this header describes, has no payload: the
 * image cannot be restored.  Little-endian, fixed width, no padding.
 */
#ifndef CLOISTER_ABI_RECORD_H
#define CLOISTER_ABI_RECORD_H

/*
 * First number free after Xen's own (CPU_MSR is 20).  A Xen without Cloister
 * does not know it and refuses the image.
 */
#define CLOISTER_HVM_CODE           21

#define CLOISTER_RECORD_SIGNATURE   "CLOISTER"
#define CLOISTER_RECORD_REVISION    0

struct cloister_record {
    uint8_t  signature[8];      /* CLOISTER_RECORD_SIGNATURE, no NUL */
    uint32_t revision;
    uint32_t length;            /* of the record with this header, bytes */
    uint8_t  uuid[16];          /* the domain's handle */
};

#endif /* CLOISTER_ABI_RECORD_H */
