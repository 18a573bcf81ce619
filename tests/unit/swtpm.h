/* SPDX-License-Identifier: BSD-2-Clause */
/* A TPM of software (swtpm), one for each test program. */
#ifndef SWTPM_H
#define SWTPM_H

#include <stddef.h>
#include <stdint.h>

/* Starts it, sends TPM2_Startup.  0 or -1; ends with the program. */
int swtpm_start(void);

/* Another TPM takes its place, as on another host.  0 or -1. */
int swtpm_another(void);

/* Its power goes and comes, without the host's; TPM2_Startup is to be sent. */
int swtpm_reset(void);

/* The host is switched off and on: PCRs, sessions are gone.  0 or -1. */
int swtpm_reboot(void);

/* The locality that the next commands come from. */
int swtpm_locality(unsigned int locality);

/* Sends a command, returns the response's length, 0 on failure. */
size_t swtpm_command(const uint8_t *cmd, size_t len, uint8_t *rsp, size_t cap);

/*
 * Runs a shell command, in a folder of its own, in which tpm2-tools talk to
 * the same TPM at the locality that was set.  Returns its exit status.
 */
int swtpm_shell(const char *command);

/*
 * Between the two somebody else may use the TPM: swtpm serves one client at a
 * time.  call_again: 0 or -1.
 */
void swtpm_hang_up(void);
int swtpm_call_again(void);

/* That folder. */
const char *swtpm_folder(void);

#endif /* SWTPM_H */
