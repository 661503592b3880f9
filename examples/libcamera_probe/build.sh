#!/bin/sh
# Build probe.cpp with YamlParser, Controller, Ccm and Contrast of a libcamera checkout.
# Needs g++ and libyaml with its headers.
# usage: build.sh CHECKOUT OUT
set -eu
checkout=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
controller=$(dirname "$(find "$checkout/src/ipa" -path '*controller/controller.cpp' | head -n 1)")
base=$(find "$checkout/src/libcamera/base" -name '*.cpp')
libipa=$(for name in pwl vector matrix; do find "$checkout/src/ipa/libipa" -name "$name.cpp"; done)
inside=$(for name in yaml_parser value_node vector matrix geometry; do
    find "$checkout/src/libcamera" -maxdepth 1 -name "$name.cpp"; done)
own=$(for name in controller algorithm pwl histogram device_status rpi/ccm rpi/contrast; do
    find "$controller" -path "$controller/$name.cpp"; done)
# shellcheck disable=SC2086
exec g++ -std=c++17 -O1 -w -DLIBCAMERA_BASE_PRIVATE -DHAVE_MEMFD_CREATE -I"$checkout/include" -I"$checkout/src/ipa" \
    -I"$checkout/src/ipa/libipa" -I"$controller" "$here/probe.cpp" $own $libipa $inside $base \
    -lyaml -lpthread -o "$out"
