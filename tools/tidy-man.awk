# SPDX-License-Identifier: BSD-2-Clause
# Takes the empty paragraphs out of what scdoc writes: mandoc -T lint minds.
/^\.PP?$/  { pending = 1; next }
/^\.RE$/   { print; next }
/^\.S[HS]/ { pending = 0 }
pending && !heading { print ".P" }
{ print; pending = 0; heading = /^\.(TH|SH|SS)/ }
