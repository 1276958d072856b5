"""`choir import`: Markdown proposals become threads, through ordinary signed transactions.

documents reads files, plan decides purely what to send, run sends it and can be interrupted and resumed at any point.
"""
