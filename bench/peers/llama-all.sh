#!/bin/sh
# Speed beside llama.cpp on every file of a folder: prefill and decode in alternating turns, one table for each file.
# Usage: bench/peers/llama-all.sh FOLDER [TURNS]      default: 5 turns
# The folder is filled with what is missing: random-weight Llamas of 0.35B and 1.1B parameters in q8_0, q4_0, q4_k_m and f16 (about 5 GB).
# LLAMA_PEER and OELLM as in llama.mjs; MODELS="0.35b" and TYPES="q4_k_m f16" choose fewer.
set -eu
[ $# -ge 1 ] || { sed -n '2,5s/^# //p' "$0" >&2; exit 2; }
folder=$1 turns=${2:-5}
here=$(cd "$(dirname "$0")" && pwd)
program=${OELLM:-$here/../../artifacts/bin/Cli/release/oellm}
for model in ${MODELS:-0.35b 1.1b}; do
    case $model in
        0.35b) sizes="--layers 24 --width 1024 --heads 16 --key-value-heads 8 --hidden 2816" ;;
        1.1b) sizes="--layers 22 --width 2048 --heads 32 --key-value-heads 4 --hidden 5632" ;;
        *) echo "llama-all.sh: MODELS has '$model'; expected 0.35b or 1.1b." >&2; exit 2 ;;
    esac
    for type in ${TYPES:-q8_0 q4_0 q4_k_m f16}; do
        file=$folder/$model-$type.gguf
        [ -e "$file" ] || "$program" init --family llama $sizes --vocabulary-size 32000 --quantize "$type" --out "$file" >&2
        echo
        echo "$model $type"
        echo
        "$here/llama.mjs" --model "$file" --turns "$turns"
    done
done
