"""llama.cpp's tokenizers, called through ctypes in the library of the package xllamacpp."""

import ctypes
import os
from ctypes import POINTER, c_bool, c_char_p, c_int, c_int32, c_uint8, c_void_p

import xllamacpp

os.environ.setdefault("GGML_NO_BACKTRACE", "1")
VERSION = f"llama.cpp of xllamacpp {xllamacpp.__version__}"
LIBRARY = ctypes.CDLL(xllamacpp.xllamacpp.__file__)

UNKNOWN, CONTROL, USER_DEFINED = 1, 8, 16
SENTENCEPIECE, BPE, WORDPIECE, UNIGRAM = 1, 2, 3, 4


class ModelParams(ctypes.Structure):
    """Opaque but for one flag: load the vocabulary and no weights."""

    _fields_ = [("head", c_uint8 * 72), ("vocab_only", c_bool), ("rest", c_uint8 * 7)]


def declare(name, result, *arguments):
    function = getattr(LIBRARY, "llama_" + name)
    function.restype, function.argtypes = result, arguments
    return function


LOG = ctypes.CFUNCTYPE(None, c_int, c_char_p, c_void_p)
ids_type = POINTER(c_int32)
declare("log_set", None, LOG, c_void_p)
declare("backend_init", None)
default_params = declare("model_default_params", ModelParams)
load = declare("model_load_from_file", c_void_p, c_char_p, ModelParams)
free = declare("model_free", None, c_void_p)
get_vocab = declare("model_get_vocab", c_void_p, c_void_p)
n_tokens = declare("vocab_n_tokens", c_int32, c_void_p)
vocab_type = declare("vocab_type", c_int, c_void_p)
get_text = declare("vocab_get_text", c_char_p, c_void_p, c_int32)
get_attr = declare("vocab_get_attr", c_int, c_void_p, c_int32)
is_eog = declare("vocab_is_eog", c_bool, c_void_p, c_int32)
tokenize = declare("tokenize", c_int32, c_void_p, c_char_p, c_int32, ids_type, c_int32, c_bool, c_bool)
detokenize = declare("detokenize", c_int32, c_void_p, ids_type, c_int32, c_char_p, c_int32, c_bool, c_bool)

said = []


@LOG
def log(level, text, _):
    if level >= 3:
        said.append(text.decode("utf-8", "replace"))


LIBRARY.llama_log_set(log, None)
LIBRARY.llama_backend_init()


class Vocab:
    """The vocabulary of a GGUF file."""

    def __init__(self, path):
        said.clear()
        params = default_params()
        params.vocab_only = True
        self.model = load(os.fsencode(path), params)
        if not self.model:
            raise RuntimeError("".join(said))
        self.vocab = get_vocab(self.model)
        self.count = n_tokens(self.vocab)
        self.type = vocab_type(self.vocab)

    def close(self):
        free(self.model)

    def tokenize(self, data, add_special=False, parse_special=False):
        room = len(data) + 16
        while True:
            ids = (c_int32 * room)()
            found = tokenize(self.vocab, data, len(data), ids, room, add_special, parse_special)
            if found >= 0:
                return ids[:found]
            room = -found

    def detokenize(self, ids, show_special=True):
        array = (c_int32 * max(1, len(ids)))(*ids)
        room = len(ids) * 16 + 64
        while True:
            text = ctypes.create_string_buffer(room)
            length = detokenize(self.vocab, array, len(ids), text, room, False, show_special)
            if length >= 0:
                return text.raw[:length]
            room = -length

    def text(self, token):
        return get_text(self.vocab, token).decode("utf-8", "replace")

    def is_special(self, token):
        return bool(get_attr(self.vocab, token) & (UNKNOWN | CONTROL))

    def is_matched(self, token):
        return bool(get_attr(self.vocab, token) & (UNKNOWN | CONTROL | USER_DEFINED))

    def ends(self):
        return [token for token in range(self.count) if is_eog(self.vocab, token)]
