"""What the assets of a loop are called, and the job that makes them."""

GROUP = "policies"
NEXT_POLICY = "next_policy"
POLICY_EVALUATION = "policy_evaluation"
POLICY_ASSETS = (NEXT_POLICY, POLICY_EVALUATION)
POLICY_JOB = "policy"
