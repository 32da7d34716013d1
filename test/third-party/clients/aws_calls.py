"""Runs the AWS CLI once for each list of arguments, in one process, for its start takes a second.

argv: the lists, as JSON. Prints their exit codes and what they wrote, as JSON.
"""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver

ended = []
for args in json.loads(sys.argv[1]):
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        exit_code = create_clidriver().main(args)
    ended.append({"exitCode": exit_code, "stdout": stdout.getvalue(), "stderr": stderr.getvalue()})
print(json.dumps(ended))
