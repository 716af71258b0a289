# What runs in the guest: each listed package's tests, in the package's directory
# as `go test` does it, one package after the other. The status is 1 if any failed.
set -uf # flags are words and no patterns
export LOADLINE_E2E_WORKLOAD=$PWD/workload
# Emulated processors: tests wait that many times longer for what they expect.
export LOADLINE_E2E_SLOWNESS=8
# One at a time, too: dockerd itself waits no longer than 15 s for its containerd.
uname -a
if [ -d programs ]; then
  cp -r programs /root/ # from the disk, as below
  export LOADLINE_E2E_PROGRAMS=/root/programs
fi
failed=0
while read -r package flags; do
  echo "=== $package, $(cut -d. -f1 /proc/uptime) s after the boot"
  # From the disk: pages of a program are read one by one.
  mkdir -p "/root/$package"
  cp -r "$package/." "/root/$package/"
  (cd "/root/$package" && ./test -test.v -test.parallel=1 -test.timeout=20m $flags) || failed=1
done <tests
echo "=== done, $(cut -d. -f1 /proc/uptime) s after the boot"
exit "$failed"
