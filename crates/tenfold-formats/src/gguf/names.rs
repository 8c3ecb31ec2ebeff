//! Numbers of the format that Tenfold can name but does not compute with.

/// The name of a number format that ggml has and Tenfold has not.
pub(super) fn foreign_dtype(id: u32) -> Option<&'static str> {
    Some(match id {
        4 => "Q4_2 (withdrawn)",
        5 => "Q4_3 (withdrawn)",
        19 => "IQ1_S",
        21 => "IQ3_S",
        22 => "IQ2_S",
        29 => "IQ1_M",
        31 => "Q4_0_4_4 (withdrawn)",
        32 => "Q4_0_4_8 (withdrawn)",
        33 => "Q4_0_8_8 (withdrawn)",
        34 => "TQ1_0",
        35 => "TQ2_0",
        36 => "IQ4_NL_4_4 (withdrawn)",
        37 => "IQ4_NL_4_8 (withdrawn)",
        38 => "IQ4_NL_8_8 (withdrawn)",
        39 => "MXFP4",
        40 => "NVFP4",
        41 => "Q1_0",
        _ => return None,
    })
}

/// The name of the mix of number formats in `general.file_type`.
pub fn file_type_name(id: u64) -> Option<&'static str> {
    /// Set when the mix was guessed from the tensors.
    const GUESSED: u64 = 1024;
    Some(match id & !GUESSED {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        7 => "Q8_0",
        8 => "Q5_0",
        9 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K_S",
        12 => "Q3_K_M",
        13 => "Q3_K_L",
        14 => "Q4_K_S",
        15 => "Q4_K_M",
        16 => "Q5_K_S",
        17 => "Q5_K_M",
        18 => "Q6_K",
        19 => "IQ2_XXS",
        20 => "IQ2_XS",
        21 => "Q2_K_S",
        22 => "IQ3_XS",
        23 => "IQ3_XXS",
        24 => "IQ1_S",
        25 => "IQ4_NL",
        26 => "IQ3_S",
        27 => "IQ3_M",
        28 => "IQ2_S",
        29 => "IQ2_M",
        30 => "IQ4_XS",
        31 => "IQ1_M",
        32 => "BF16",
        36 => "TQ1_0",
        37 => "TQ2_0",
        38 => "MXFP4_MOE",
        39 => "NVFP4",
        40 => "Q1_0",
        _ => return None,
    })
}
