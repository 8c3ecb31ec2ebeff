//! SIMD kernels, packed weights and the thread pool of the native engine
