from campro.models.poses.pose_estimator import PoseCard, PoseEstimator
from campro.models.poses.pose_estimators import POSE_ESTIMATORS, load_pose_estimator

__all__ = ["POSE_ESTIMATORS", "PoseCard", "PoseEstimator", "load_pose_estimator"]
