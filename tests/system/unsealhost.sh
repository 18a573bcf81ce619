# SPDX-License-Identifier: BSD-2-Clause
# dom0 unseals what is sealed to Xen's locality, with the TPM's stock tools, and
# what is sealed to its own, so that it is seen for what reason it fails.
# shellcheck shell=sh disable=SC1091

PCRS=sha256:0,2,4,7,8,9,21

# unseal_as OBJECT LOCALITY: by a policy session that has named this one (bit
# N: locality N) and PCRS; what comes is added to the file unsealed.
unseal_as()
{
    tpm2_startauthsession --policy-session -S unseal.session
    tpm2_policylocality -Q -S unseal.session "$2"
    tpm2_policypcr -Q -S unseal.session -l $PCRS
    tpm2_unseal -c "$1" -p session:unseal.session >>unsealed 2>unseal.log
    tpm2_flushcontext unseal.session
    sed -n 's/^/# /; /Esys_Unseal(/p' unseal.log
}

# The TPM's response code in what the last one has said.
refusal()
{
    sed -n 's/.*Esys_Unseal(\(0x[0-9A-F]*\)).*/\1/p' unseal.log |
        grep . || echo none
}

# As the host key and secrets, but for locality 0; below srk.
seal_own()
{
    tpm2_startauthsession -S unseal.session
    tpm2_policylocality -Q -S unseal.session 1
    tpm2_policypcr -Q -S unseal.session -l $PCRS -L unseal.policy
    tpm2_flushcontext unseal.session
    printf 'dom0s own' |
        tpm2_create -Q -C srk -i - -L unseal.policy -u unseal.pub -r unseal.priv \
            -a 'fixedtpm|fixedparent|noda'
    tpm2_load -Q -C srk -u unseal.pub -r unseal.priv -c unseal.own
}

# dom0_unseals OBJECT: the facts.  The TPM knows from where it is asked: the
# right policy is refused for the locality (TPM_RC_LOCALITY, 0x907), any other
# because it is another (TPM_RC_POLICY_FAIL of session 1, 0x99D).
dom0_unseals()
{
    : >unsealed
    codes=''
    for locality in 1 2 4 8 16; do
        unseal_as "$1" $locality
        codes=$codes${codes:+_}$(refusal)
    done
    fact dom0_unsealed_bytes "$(stat -c %s unsealed)"
    fact dom0_unseal_refused "$codes"
    : >unsealed
    seal_own
    unseal_as unseal.own 1
    fact dom0_unseals_own "$(tr ' ' _ <unsealed)"
}
