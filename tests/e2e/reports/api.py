"""An API that takes whatever has the form of a JWT and stumbles over anything else; below /tires it soon takes
nothing."""

import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


# So many requests each path below /tires takes.
MOST = 15


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        sent = self.headers.get("Authorization", "")
        if not sent.startswith("Bearer "):
            return self.answer(401)
        if sent.count(".") != 2:
            return self.answer(500)
        if self.path.startswith("/tires"):
            self.server.taken[self.path] += 1
            if self.server.taken[self.path] > MOST:
                return self.answer(401)
        return self.answer(200)

    def answer(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Api)
    server.taken = Counter()
    server.serve_forever()


if __name__ == "__main__":
    main()
