#!/bin/sh
# The chain beside RIFE alone in one run, float32: experiments/speed/pairs.sh CLIP FOLDER [more settings]
set -e
clip=$1 folder=$2
shift 2
pair() {
    name=$1
    shift
    rib benchmark speed=true "input=$clip" people=largest device=cpu background.precision=float32 speed.threads=1 \
        'speed.people=[1]' "output=$folder/$name" overwrite=true "$@"
}
pair 480p_warp render=warp 'speed.heights=[480]' 'speed.rates=[4]' 'speed.keyframes=[24]' "$@"
pair 720p_warp render=warp 'speed.heights=[720]' 'speed.rates=[2]' 'speed.keyframes=[24]' "$@"
pair 480p_gan render=gan 'speed.heights=[480]' 'speed.rates=[4]' 'speed.keyframes=[24]' "$@"
pair 720p_gan render=gan 'speed.heights=[720]' 'speed.rates=[2]' 'speed.keyframes=[24]' "$@"
