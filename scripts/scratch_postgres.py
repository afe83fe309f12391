"""A PostgreSQL server of a script's own, in a temporary directory, gone with it."""
import contextlib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

INSTALLED = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))


@contextlib.contextmanager
def server(binaries=None):
    """Starts one of these programs, by default the newest installed ones, and stops it in every case."""
    directory = tempfile.mkdtemp(prefix="scratch-postgres-")
    try:
        running = Server(directory, pathlib.Path(binaries) if binaries else INSTALLED[-1])
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Server:
    """A cluster in a temporary directory, owned by postgres if we are root, which PostgreSQL refuses to run as."""

    def __init__(self, directory, binaries):
        self.directory, self.binaries = directory, binaries
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        if self.user:
            os.chown(directory, self.user.pw_uid, self.user.pw_gid)
        self.call("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--pgdata", f"{directory}/data")
        settings = f"-c listen_addresses= -c unix_socket_directories={directory} -c fsync=off -c max_locks_per_transaction=512"
        self.call("pg_ctl", "--wait", f"--pgdata={directory}/data", f"--log={directory}/log", f"--options={settings}", "start")

    def call(self, name, *arguments):
        who = {"user": self.user.pw_uid, "group": self.user.pw_gid, "cwd": self.directory} if self.user else {}
        subprocess.run([self.binaries / name, *arguments], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **who)

    def stop(self):
        self.call("pg_ctl", "--mode=immediate", f"--pgdata={self.directory}/data", "stop")

    def psql(self, database, sql, *options):
        """Runs it on a connection of its own; the error, or nothing."""
        command = [self.binaries / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-U", "postgres", "-d", database, *options]
        environment = dict(os.environ, PGOPTIONS="-c client_min_messages=error")
        try:
            done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=60, env=environment, check=False)
        except subprocess.TimeoutExpired:
            return "it took more than a minute"
        return done.stderr.strip() if done.returncode else ""
