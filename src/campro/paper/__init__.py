"""The tables and figures of the CamPro paper (NDSS 2024), each number beside that of the paper."""
