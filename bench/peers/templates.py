# Renders templates with the reference implementation and writes what came out beside them; the tests compare byte for byte.
# Needs Debian's python3-jinja2. The environment is the one of the field: sandboxed, blocks trimmed, loop controls, JSON as json.dumps writes it.
#   python3 bench/peers/templates.py constructs FILE.jsonl         fills "out" (or "error") of each line {"template"}
#   python3 bench/peers/templates.py families FOLDER               renders FOLDER/*.jinja over FOLDER/conversations.json to FOLDER/*.jsonl
#   python3 bench/peers/templates.py published FOLDER CONVERSATIONS   the same for templates that are not committed
import datetime
import glob
import json
import os
import sys

import jinja2
import jinja2.ext
import jinja2.sandbox
from jinja2 import nodes

NOW = datetime.datetime(2026, 3, 7, 9, 5, 3)
TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}

# What constructs.jsonl may use.
VARIABLES = {
    "n": 7, "negative": -3, "half": 0.5, "big": 1e20, "small": 1.5e-7, "yes": True, "no": False, "nothing": None, "empty": "", "zero": 0,
    "word": "Straße", "text": "  padded text \n", "name": "Łódź", "emoji": "a😀b", "greek": "ΟΔΟΣ", "csv": "a,b,,c", "quoted": "it's \"so\"\n\t\\",
    "numbers": [3, 1, 2], "words": ["pear", "Apple", "fig"], "nested": [[1, 2], [3, [4, None]]], "none_list": [], "none_map": {},
    "map": {"b": 1, "a": {"x": [True, None, 1.0]}, "items": "shadow", "C": "three"},
    "people": [{"name": "Zoë", "age": 31, "tags": ["x"]}, {"name": "adam", "age": 25}, {"name": "Bo", "age": 31, "tags": []}],
    "schema": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Wien", "Αθήνα"]}, "days": {"type": "integer", "default": 3}}, "required": ["city"]},
    "html": "<b>&'\"", "lines": "one\ntwo\n\nthree\r\nfour", "control": "\u0000\u001f\u007f\u0085\u00a0\u200b\u2028",
}


class Generation(jinja2.ext.Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_write"), [], [], body).set_lineno(line)

    def _write(self, caller):
        return caller()


def environment():
    made = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"])

    def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.TemplateError(message)

    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = lambda form: NOW.strftime(form)
    return made


def render(template, variables):
    try:
        return {"out": environment().from_string(template).render(**variables)}
    except Exception:
        return {"error": True}


def constructs(path):
    with open(path, encoding="utf-8") as file:
        cases = [json.loads(line) for line in file if line.strip()]
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for case in cases:
            variables = json.loads(json.dumps(VARIABLES))
            file.write(json.dumps({"template": case["template"], **render(case["template"], variables)}, ensure_ascii=False) + "\n")
    with open(os.path.join(os.path.dirname(path), "variables.json"), "w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(VARIABLES, ensure_ascii=False, indent=2) + "\n")


def families(folder, conversations):
    with open(conversations, encoding="utf-8") as file:
        cases = json.load(file)
    for path in sorted(glob.glob(os.path.join(folder, "*.jinja"))):
        with open(path, encoding="utf-8", newline="") as file:
            template = file.read()
        with open(path[:-len(".jinja")] + ".jsonl", "w", encoding="utf-8", newline="\n") as file:
            for case in cases:
                result = render(template, {**TOKENS, **json.loads(json.dumps(case["variables"]))})
                file.write(json.dumps({"case": case["case"], **result}, ensure_ascii=False) + "\n")


if sys.argv[1] == "constructs":
    constructs(sys.argv[2])
elif sys.argv[1] == "families":
    families(sys.argv[2], os.path.join(sys.argv[2], "conversations.json"))
else:
    families(sys.argv[2], sys.argv[3])
