//! What this machine is: cores, memory, CPU features
