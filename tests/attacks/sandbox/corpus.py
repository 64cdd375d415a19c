# ruff: noqa: E501 - one case, one line
"""Ways out that were found in other products and in Python itself, by class. Each is tried in both engines.

The code knows: `path` a file with a secret, `place` its folder, `port`, `sock` and `abstract` listeners of ours, `pid` this
process, `victim` another process of ours, `name` a variable of our environment. None of it may be reached.
"""

BASES = (
    "()", "''", "{}", "[]", "(1)", "(1.5)", "b''", "True", "None", "len", "print", "(lambda: 0)", "[].append", "object",
    "type", "str", "Exception()", "(x for x in [1])", "range(3)", "open",
)  # fmt: skip
NAMES = (
    "__class__.__base__.__subclasses__()", "__class__.__mro__[-1].__subclasses__()", "__init__.__globals__",
    "__globals__['__builtins__']", "__code__.replace(co_code=b'')", "__builtins__", "__dict__", "__reduce_ex__(4)",
    "__self__.__dict__", "__getattribute__('__class__').__base__.__subclasses__()", "__module__.__class__.__base__",
    "gi_frame.f_back.f_globals", "__subclasshook__.__self__.__subclasses__()", "__doc__.__class__.__base__.__subclasses__()",
    "__closure__[0].cell_contents", "__func__.__globals__", "__loader__.load_module('os')",
)  # fmt: skip

WALKS = [f"return repr({base}.{name})" for base in BASES for name in NAMES]

FORMATS = [
    f"return {form}"
    for field in (
        "0.__class__", "0.__class__.__init__.__globals__", "0.__init__.__globals__[__builtins__]", "0.__dict__",
        "0.__reduce__", "0.__class__.__base__.__subclasses__",
    )
    for form in (
        f"'{{{field}}}'.format(print)",
        f"'{{{field}}}'.format(Exception())",
        f"'{{{field.replace('0', 'x', 1)}}}'.format_map({{'x': open}})",
        f"'{{{field.replace('0', 'x', 1)}}}'.format(x=len)",
        f"getattr('', 'for' + 'mat')('{{{field}}}', print)",
    )
]  # fmt: skip

MODULES = (
    "os", "sys", "subprocess", "socket", "ctypes", "_ctypes", "importlib", "builtins", "pickle", "marshal", "shutil",
    "posix", "pty", "signal", "mmap", "fcntl", "resource", "multiprocessing", "threading", "asyncio", "http.client",
    "urllib.request", "pathlib", "io", "_io", "gc", "inspect", "code", "codeop", "types", "sqlite3", "tempfile", "glob",
    "linecache", "runpy", "zipimport", "site", "webbrowser", "faulthandler", "tracemalloc", "_posixsubprocess",
)  # fmt: skip

IMPORTS = [f"import {module}\nreturn str(dir({module.partition('.')[0]}))" for module in MODULES] + [
    "return __import__('os').environ[name]",
    "return __builtins__['__import__']('os').environ[name]",
    "return __builtins__.__import__('os').environ[name]",
    "import importlib\nreturn importlib.import_module('os').environ[name]",
    "return eval('__import__(\"os\")').environ[name]",
    "exec('import os')\nreturn os.environ[name]",
    "return eval(compile('open(path).read()', '', 'eval'))",
    "from os import *\nreturn environ[name]",
    "import sys\nreturn sys.modules['os'].environ[name]",
    "import json\nreturn json.codecs.builtins.open(path).read()",
    "import re\nreturn re.enum.sys.modules['os'].environ[name]",
    "import random\nreturn random._os.environ[name]",
    "import collections\nreturn collections._sys.modules['os'].environ[name]",
    "import datetime\nreturn datetime.sys.modules['os'].environ[name]",
    "import decimal\nreturn decimal._sys",
    "import base64\nreturn base64.struct.__builtins__['open'](path).read()",
    "class A:\n    __module__ = 'os'\nreturn repr(A)",
    "return getattr(getattr(print, '__self__'), 'open')(path).read()",
    "return vars(print.__self__)['open'](path).read()",
    "return [c for c in object.__subclasses__() if c.__name__ == 'Popen']",
]

FILES = [
    f"return {form}"
    for target in (
        "path", "'/etc/passwd'", "'/etc/shadow'", "'/proc/self/environ'", "'/proc/1/environ'", "'/proc/self/maps'",
        "'/proc/self/mem'", "'/proc/self/cmdline'", "'/proc/' + str(pid) + '/environ'", "'/root/.ssh/id_rsa'",
        "'/proc/self/fd/0'", "'/proc/self/root' + path", "'/proc/self/cwd/..' + path", "'/dev/mem'", "'/dev/kmsg'",
        "'/sys/fs/cgroup/cgroup.procs'", "'/../..' + path", "'/run/secrets/kubernetes.io/serviceaccount/token'",
    )
    for form in (f"open({target}).read()", f"open({target}, 'rb').read()")
] + [
    f"import os, pathlib\nreturn {form}"
    for form in (
        "pathlib.Path(path).read_text()", "os.listdir(place)", "list(os.walk('/home'))", "os.stat(path).st_size",
        "os.readlink('/proc/self/exe')", "os.open(path, 0)", "list(pathlib.Path(place).iterdir())",
        "os.getxattr(path, 'user.x')", "os.scandir(place)", "os.path.getsize(path)", "open(os.open(path, 0)).read()",
    )
]  # fmt: skip

WRITES = [
    f"{form}\nreturn 'done'"
    for form in (
        "open(path, 'w').write('owned')", "open(path, 'a').write('owned')", "open(place + '/new', 'w').write('owned')",
        "import os\nos.remove(path)", "import os\nos.rename(path, path + '.x')", "import os\nos.chmod(path, 0)",
        "import os\nos.mkdir(place + '/new')", "import os\nos.truncate(path, 0)", "import os\nos.utime(path, (1, 1))",
        "import os\nos.symlink(path, 'link')\nopen('link', 'w').write('owned')",
        "import os\nos.symlink('/', 'root')\nopen('root' + path, 'w').write('owned')",
        "import os\nos.link(path, 'hard')\nopen('hard', 'w').write('owned')",
        "import pathlib\npathlib.Path(path).write_text('owned')", "import shutil\nshutil.rmtree(place)",
        "import os\nos.chdir(place)\nopen('new', 'w').write('owned')", "import os\nos.mkfifo(place + '/new')",
        "open('/etc/cron.d/x', 'w').write('owned')", "open('/tmp/agentbase-owned', 'w').write('owned')",
        "open('/dev/shm/agentbase-owned', 'w').write('owned')", "import os\nos.chroot('/')",
        "import site, os\nopen(os.path.join(os.path.dirname(os.__file__), 'owned.pth'), 'w').write('import os')",
        "import os\nopen(os.__file__, 'a').write('owned')", "open('/guest/flows/host/frames.py', 'a').write('owned')",
    )
]  # fmt: skip

NETWORK = [
    f"{form}\nreturn 'done'"
    for form in (
        "import socket\ns = socket.create_connection(('127.0.0.1', port), 1)\ns.send(b'x')",
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b'x', ('127.0.0.1', port))",
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect(sock)\ns.send(b'x')",
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0' + abstract)\ns.send(b'x')",
        "import socket\ns = socket.socket(socket.AF_INET6)\ns.connect(('::1', port))",
        "import socket\ns = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "import socket\nsocket.getaddrinfo('localhost', 80)",
        "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()",
        "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{port}/')",
        "import http.client\nhttp.client.HTTPConnection('127.0.0.1', port).request('GET', '/')",
        "import asyncio\nasyncio.run(asyncio.open_connection('127.0.0.1', port))",
        "import socket\nsocket.socket(fileno=0).send(b'x' * 100)", "import socket\nsocket.fromfd(3, 1, 1).send(b'\\xff' * 64)",
    )
]  # fmt: skip

PROCESSES = [
    f"{form}\nreturn 'done'"
    for form in (
        "import os\nos.system('touch ' + place + '/new')", "import os\nos.fork()", "import os\nwhile True: os.fork()",
        "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'touch ' + place + '/new'])",
        "import os\nos.execv('/bin/sh', ['sh', '-c', 'touch ' + place + '/new'])",
        "import os\nos.posix_spawn('/bin/sh', ['sh', '-c', 'touch ' + place + '/new'], {})",
        "import os\nos.kill(victim, 9)", "import os\nos.kill(pid, 9)", "import os\nos.kill(-1, 9)", "import os\nos.kill(0, 9)",
        "import os\nos.killpg(os.getpgid(os.getppid()), 9)", "import os\nos.kill(os.getppid(), 9)",
        "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)", "import os\nos.setuid(0)", "import os\nos.nice(-20)",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()", "import pty\npty.spawn('/bin/sh')",
        "import ctypes\nctypes.CDLL(None).system(b'touch /tmp/agentbase-owned')",
        "import ctypes\nctypes.CDLL(None).ptrace(16, pid, 0, 0)", "import ctypes\nctypes.CDLL(None).unshare(0x10000000)",
        "import ctypes\nctypes.CDLL(None).mount(b'proc', b'/scratch', b'proc', 0, None)",
        "import ctypes\nctypes.CDLL(None).prctl(38, 0, 0, 0, 0)", "import ctypes\nctypes.CDLL(None).setns(0, 0)",
        "import ctypes\nctypes.CDLL(None).syscall(319, b'x', 0)", "import ctypes\nctypes.CDLL(None).syscall(425, 8, 0)",
        "import ctypes\nctypes.CDLL(None).syscall(56, 17, 0, 0, 0, 0)", "import ctypes\nctypes.CDLL(None).syscall(435, 0, 0)",
        "import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 41, 2, 1, 0)", "import ctypes\nctypes.CDLL(None).syscall(321, 0, 0, 0)",
        "import ctypes\nctypes.string_at(0)", "import ctypes\nctypes.memset(id(1), 0, 64)",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))", "import sys\nsys.setrecursionlimit(10 ** 9)",
    )
]  # fmt: skip

PICKLES = [
    "import pickle\nreturn pickle.loads(b\"cos\\nsystem\\n(S'touch /tmp/agentbase-owned'\\ntR.\")",
    "import pickle\nclass A:\n    def __reduce__(self): return (open, (path,))\nreturn pickle.loads(pickle.dumps(A())).read()",
    "import marshal\nexec(marshal.loads(b'\\xe3' + b'\\x00' * 40))",
    "import copyreg, copy\nclass A:\n    def __reduce__(self): return (open, (path,))\nreturn copy.copy(A()).read()",
    'import json\nreturn json.loads(\'{"__class__": "os.system"}\', object_hook=lambda d: open(path).read())',
    "import csv\nreturn list(csv.reader(open(path)))",
    "from dataclasses import make_dataclass\nreturn make_dataclass('X', [('a', 'open(path).read()')])",
    "from collections import namedtuple\nreturn namedtuple('X', 'a b', module='os')(1, 2)",
    "import tomllib\nreturn tomllib.load(open(path, 'rb'))",
]

FRAMES = [
    "try:\n    1 / 0\nexcept Exception as e:\n    return str(e.__traceback__.tb_frame.f_back.f_globals)",
    "def f():\n    return f.__globals__\nreturn str(f())",
    "g = (x for x in [1])\nreturn str(g.gi_frame.f_back.f_back.f_globals['__builtins__'])",
    "async def f(): pass\nreturn str(f().cr_frame.f_globals)",
    "import sys\nreturn str(sys._getframe(1).f_globals)",
    "import sys\nreturn str(sys.exc_info()[2].tb_frame)",
    "import inspect\nreturn str(inspect.stack()[-1].frame.f_globals)",
    "import gc\nreturn [str(o) for o in gc.get_objects() if isinstance(o, dict) and 'wire' in o]",
    "import gc\nreturn [o.fileno() for o in gc.get_objects() if type(o).__name__ == 'socket']",
    "class A:\n    def __del__(self): open(path).read()\nA()\nreturn 1",
    "class A:\n    def __str__(self): return open(path).read()\nreturn str(A())",
    "class A:\n    def __getattr__(self, n): return open(path).read()\nreturn A().x",
    "class A(str):\n    def encode(self, *a): return open(path).read()\nreturn A('x')",
    "class A(dict):\n    def items(self): return [('x', open(path).read())]\nreturn A()",
    "class A(Exception):\n    def __str__(self): raise A()\nraise A()",
    "class M(type):\n    def __call__(c, *a): return open(path).read()\nclass A(metaclass=M): pass\nreturn A()",
    "match object:\n    case object(__class__=c): return str(c.__base__.__subclasses__())\nreturn 0",
    "return f'{open(path).read()}'", "return f'{print.__self__}'", "raise SystemExit(0)", "raise KeyboardInterrupt()",
    "raise BaseException(path)", "def f(x=open(path).read()): return x\nreturn f()", "@open\ndef f(): pass\nreturn f",
    "return [open(path).read() for _ in [0]]", "with open(path) as f: return f.read()",
]  # fmt: skip

BOMBS = [
    "while True: pass", "for i in range(10 ** 12): pass", "return 10 ** 10 ** 10", "return 2 ** 2 ** 2 ** 2 ** 2 ** 2",
    "return 'a' * 10 ** 10", "return b'a' * 10 ** 10", "return [0] * 10 ** 10", "return list(range(10 ** 10))",
    "x = []\nwhile True: x.append(x)", "x = 'a'\nwhile True: x += x", "x = {}\nwhile True: x[len(x)] = 'x' * 1000",
    "return sum(range(10 ** 11))", "return sorted(range(10 ** 9))", "return max(range(10 ** 11))", "return 7 in range(10 ** 12, 0, -1)",
    "def f(n): return f(n + 1)\nreturn f(0)", "f = lambda g: g(g)\nreturn f(f)", "x = []\nx.append(x)\nreturn x",
    "x = []\nfor i in range(100000): x = [x]\nreturn x", "x = {}\nfor i in range(100000): x = {'a': x}\nreturn str(x)",
    "import re\nreturn re.match('(a+)+$', 'a' * 60 + 'b') is None", "import re\nreturn re.match('(a|aa)+$', 'a' * 60 + 'b') is None",
    "import re\nreturn re.sub('(x*)*y', '', 'x' * 5000)", "import re\nreturn re.compile('a{60000}{60000}')", "import re\nreturn re.match('(.*)*' * 20 + 'z', 'a' * 50)",
    "while True: print('x' * 1000)", "print('x' * 10 ** 8)", "for i in range(10 ** 7): print()", "return 'x' * 5_000_000",
    "return ['x' * 1000] * 6000", "return {str(i): 'y' * 100 for i in range(60000)}", "return int('9' * 10 ** 6)", "return str(10 ** 200000)",
    "return '%1000000000d' % 1", "return '{:1000000000}'.format(1)", "return f'{1:>1000000000}'", "return 'a'.ljust(10 ** 10)",
    "return 'a'.center(10 ** 10)", "return ('a' * 10 ** 5).replace('a', 'b' * 10 ** 5)", "return ','.join(['a' * 10 ** 5] * 10 ** 5)",
    "return '\\t'.expandtabs(10 ** 10)", "return (1).to_bytes(10 ** 10, 'big')", "return bytes(10 ** 10)", "return bytearray(10 ** 10)",
    "import time\ntime.sleep(10 ** 6)", "import time\nwhile True: time.sleep(0)", "import itertools\nreturn list(itertools.count())",
    "import itertools\nreturn list(itertools.repeat(1))", "import itertools\nreturn len(list(itertools.permutations(range(14))))",
    "import itertools\nfor x in itertools.cycle([1]): pass", "import math\nreturn math.factorial(10 ** 8)", "import math\nreturn math.comb(10 ** 7, 5 * 10 ** 6)",
    "import decimal\nreturn decimal.Decimal(10) ** 10 ** 9", "import decimal\ndecimal.getcontext().prec = 10 ** 9\nreturn decimal.Decimal(2).sqrt()",
    "import hashlib\nreturn hashlib.pbkdf2_hmac('sha256', b'', b'', 10 ** 10).hex()", "import json\nreturn json.loads('[' * 10 ** 6)",
    "import json\nreturn json.dumps('x' * 10 ** 9)", "import base64\nreturn base64.b64encode(b'x' * 10 ** 9)", "return eval('(' * 100000)", "exec('x = ' + '-' * 10 ** 6 + '1')",
    "try:\n    while True: pass\nexcept BaseException: pass\nwhile True: pass", "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "def f():\n    try: f()\n    finally: f()\nf()", "import collections\nreturn collections.Counter('a' * 10 ** 9)", "return 'a' in 'b' * 10 ** 9", "return pow(3, 10 ** 9)",
    "return pow(3, 10 ** 8, 10 ** 10 ** 5)", "return (1 << 10 ** 11)", "return [x for x in range(10 ** 6) for y in range(10 ** 6)]", "return {i: i for i in range(10 ** 9)}",
    "open('big', 'w').write('x' * 10 ** 9)", "f = open('big', 'wb')\nwhile True: f.write(b'x' * 10 ** 6)",
    "import threading\nwhile True: threading.Thread(target=lambda: __import__('time').sleep(100)).start()", "import os\nwhile True: os.open('/dev/null', 0)",
    "import os\nn = 0\nwhile True:\n    open(str(n), 'w').close()\n    n += 1",
]  # fmt: skip

FORGED = [
    "import os\nfor fd in range(64):\n    try: os.write(fd, b'\\x00\\x00\\x00\\x01\\xc0')\n    except OSError: pass\nwhile True: pass",
    "import os\nfor fd in range(64):\n    try: os.write(fd, b'\\xff\\xff\\xff\\xff')\n    except OSError: pass\nwhile True: pass",
    "import os\nfor fd in range(3, 64):\n    try: os.close(fd)\n    except OSError: pass\nreturn 1",
    "import os\nout = []\nfor fd in range(64):\n    try: out.append(str(os.read(fd, 10)))\n    except OSError: pass\nreturn out",
    "import os\nfor fd in range(3, 64):\n    try: os.dup2(0, fd)\n    except OSError: pass\nreturn 1",
    "from flows.host.frames import Ask, send\nimport gc, socket\nfor s in gc.get_objects():\n    if isinstance(s, socket.socket):\n"
    "        while True: send(s, Ask('files', 'read', [path]))",
    "from flows.host.frames import Ask, send\nimport gc, socket\nfor s in gc.get_objects():\n    if isinstance(s, socket.socket):\n"
    "        send(s, Ask('http', 'send', [{'method': 'GET', 'url': f'http://127.0.0.1:{port}/'}]))\nwhile True: pass",
    "from flows.host.frames import Reply, send\nimport gc, socket\nfor s in gc.get_objects():\n    if isinstance(s, socket.socket):\n"
    "        send(s, Reply(value={'__class__': b'x', 'n': float('nan')}, printed='p' * 10 ** 6, line=-5, cpu=float('nan')))\nwhile True: pass",
    "from flows.host.frames import Reply, send\nimport gc, socket\nfor s in gc.get_objects():\n    if isinstance(s, socket.socket):\n"
    "        send(s, Reply(value='x' * 10 ** 7))\nwhile True: pass",
    "return files.read(path)", "return files.read('../../etc/passwd')", "return files.read(None)", "return files.read({'id': path})",
    "return files._ask('files', 'write', 'x', b'', 'a/b')", "return files._ask('http', 'send', {})", "return files._ask('__class__', '__init__')",
    "return files._ask('files', '__globals__')", "return [files.read('x') for _ in range(10)]",
]  # fmt: skip

CLASSES = {
    "walk": WALKS, "format": FORMATS, "import": IMPORTS, "file": FILES, "write": WRITES, "network": NETWORK,
    "process": PROCESSES, "pickle": PICKLES, "frame": FRAMES, "bomb": BOMBS, "forged": FORGED,
}  # fmt: skip
