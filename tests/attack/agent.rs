//! Attacks on the agent and its programs, by other users of the machine and by what lies in its folders.
