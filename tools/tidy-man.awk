# SPDX-License-Identifier: BSD-2-Clause
# Takes the empty paragraphs out of what scdoc writes, and breaks lines that
# its escapes have made too long: mandoc -T lint minds both.
/^\.PP?$/  { pending = 1; next }
/^\.RE$/   { print; next }
/^\.S[HS]/ { pending = 0 }
pending && !heading { print ".P" }
/^\.nf/     { verbatim = 1 }
/^\.fi/     { verbatim = 0 }
!verbatim && !/^\./ {
    while (length($0) > 80) {
        at = 80
        while (at > 1 && (substr($0, at, 1) != " " ||
                          substr($0, at + 1, 1) ~ /[.\x27]/))
            at--
        if (at == 1)
            break
        print substr($0, 1, at - 1)
        $0 = substr($0, at + 1)
    }
}
{ print; pending = 0; heading = /^\.(TH|SH|SS)/ }
