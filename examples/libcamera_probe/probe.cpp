// What libcamera's own code gives to the hardware of a Raspberry Pi for a tuning file: the colour matrix at several
// colour temperatures and the gamma curve. Built by build.sh from a checkout of libcamera; see examples/README.md.

#include <cstdio>
#include <cstring>

#include "awb_status.h"
#include "camera_mode.h"
#include "ccm_status.h"
#include "contrast_status.h"
#include "controller.h"
#include "lux_status.h"
#include "metadata.h"

template<typename Status>
static auto printCurve(const Status &status, int) -> decltype(status.points, void())
{
	for (const auto &point : status.points)
		std::printf(" %u,%u", unsigned(point.x), unsigned(point.y));
}

// Releases from 2023 on keep the curve as a function.
template<typename Status>
static void printCurve(const Status &status, long)
{
	for (int x = 0; x < 65536; x += x < 16384 ? 1024 : x < 32768 ? 2048 : 4096)
		std::printf(" %d,%d", x, int(status.gammaCurve.eval(x)));
}

int main(int argc, char **argv)
{
	for (int file = 1; file < argc; file++) {
		RPiController::Controller controller;
		int status = controller.read(argv[file]);
		std::printf("%s: read returns %d\n", argv[file], status);
		if (status)
			return 1;
		controller.initialise();
		RPiController::Metadata metadata;
		controller.switchMode(CameraMode(), &metadata);
		for (double kelvin = 2500; kelvin <= 8500; kelvin += 1000) {
			AwbStatus awb = {};
			LuxStatus lux = {};
			awb.temperatureK = kelvin;
			awb.gainR = awb.gainG = awb.gainB = 1;
			lux.lux = 400;
			metadata.set("awb.status", awb);
			metadata.set("lux.status", lux);
			controller.prepare(&metadata);
			CcmStatus ccm;
			if (metadata.get("ccm.status", ccm)) {
				std::printf("no matrix: is rpi.ccm in the file?\n");
				return 1;
			}
			std::printf("matrix at %.0f K:", kelvin);
			for (double value : ccm.matrix)
				std::printf(" %.6f", value);
			std::printf("\n");
		}
		ContrastStatus contrast;
		if (metadata.get("contrast.status", contrast)) {
			std::printf("no curve: is rpi.contrast in the file?\n");
			return 1;
		}
		std::printf("curve:");
		printCurve(contrast, 0);
		std::printf("\n");
	}
	return 0;
}
