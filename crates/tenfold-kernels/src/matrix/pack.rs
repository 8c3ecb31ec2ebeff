//! From the blocks of a file to strips, and one row back to floats.

use half::f16;
use tenfold_core::DType;
use tenfold_quant::{Group, QuantError};

use super::format::{Format, GROUP, GROUPS_PER_HEAD, STEP_BYTES, STRIP, SuperScales};
use super::format::{code, scale, super_scales};
use super::kind::FloatKind;

/// Words of one row's codes in a group.
type Words = [u32; GROUP / 4];

/// One row, unpacked to integers.
struct Row<'a> {
    dtype: DType,
    bytes: &'a [u8],
    integers: Vec<i8>,
    groups: Vec<Group>,
}

impl<'a> Row<'a> {
    fn unpack(
        dtype: DType,
        bytes: &'a [u8],
        cols: usize,
        parts: usize,
    ) -> Result<Self, QuantError> {
        let mut integers = vec![0; cols];
        let mut groups = vec![Group::default(); cols / GROUP * parts];
        tenfold_quant::unpack(dtype, bytes, &mut integers, &mut groups)?;
        Ok(Self { dtype, bytes, integers, groups })
    }

    /// The halves that the integers of a group's scale and offset are multiplied with.
    fn heads(&self, group: usize) -> Option<[f16; 2]> {
        let SuperScales { scale_at, minimum_at } = super_scales(self.dtype)?;
        let start = group / GROUPS_PER_HEAD * self.dtype.block_bytes();
        let half = |at: usize| {
            let bytes = self.bytes.get(start + at..start + at + 2)?;
            Some(f16::from_le_bytes([bytes[0], bytes[1]]))
        };
        // Offsets are negated minima.
        Some([half(scale_at)?, minimum_at.and_then(half).map_or(f16::ZERO, |half| -half)])
    }
}

/// Packs up to [`STRIP`] rows.
pub(super) fn pack_strip(
    dtype: DType,
    format: Format,
    rows: &[u8],
    cols: usize,
    strip: &mut [u8],
) -> Result<(), QuantError> {
    let row_bytes = dtype.bytes_for(cols).unwrap_or_default().max(1);
    for (index, bytes) in rows.chunks_exact(row_bytes).enumerate() {
        let row = Row::unpack(dtype, bytes, cols, format.parts)?;
        for (group, integers) in row.integers.as_chunks::<GROUP>().0.iter().enumerate() {
            let place = &mut strip[format.group_at(group)..][..format.group_bytes()];
            write_codes(format, integers, place, index);
            write_factors(format, &row, group, place, index);
        }
        write_heads(format, &row, strip, index);
    }
    Ok(())
}

fn write_codes(format: Format, integers: &[i8; GROUP], group: &mut [u8], row: usize) {
    let zero = format.zero as i8;
    let words: Words = std::array::from_fn(|step| {
        let four = [0, 1, 2, 3].map(|i| integers[4 * step + i].wrapping_add(zero) as u8);
        u32::from_le_bytes(four)
    });
    let mut write = |step: usize, word: u32| {
        group[step * STEP_BYTES + 4 * row..][..4].copy_from_slice(&word.to_le_bytes());
    };
    if format.code == code::BYTE {
        words.iter().enumerate().for_each(|(step, &word)| write(step, word));
        return;
    }
    for (pair, steps) in words.as_chunks::<2>().0.iter().enumerate() {
        write(pair, (steps[0] & 0x0f0f_0f0f) | (steps[1] & 0x0f0f_0f0f) << 4);
    }
    match format.code {
        code::FIVE => write(4, high_bits(&words, 0x0101_0101, 1)),
        code::SIX => {
            write(4, high_bits(&words[..4], 0x0303_0303, 2));
            write(5, high_bits(&words[4..], 0x0303_0303, 2));
        }
        _ => {}
    }
}

/// The bits above the low 4, each step `width` bits above the one before.
fn high_bits(words: &[u32], mask: u32, width: usize) -> u32 {
    let shifted = words.iter().enumerate().map(|(i, word)| (word >> 4 & mask) << (i * width));
    shifted.fold(0, |all, bits| all | bits)
}

fn write_factors(format: Format, row: &Row<'_>, group: usize, place: &mut [u8], index: usize) {
    let heads = row.heads(group).unwrap_or_default();
    for part in 0..format.parts {
        let factors = row.groups[group * format.parts + part];
        write_factor(format, factors.scale, heads[0], &mut place[format.scale_at(part)..], index);
        if format.offset {
            let at = format.offset_at(part);
            write_factor(format, factors.offset, heads[1], &mut place[at..], index);
        }
    }
}

fn write_factor(format: Format, factor: f32, head: f16, place: &mut [u8], row: usize) {
    match format.scale {
        scale::HALF => put(place, row, f16::from_f32(factor).to_le_bytes()),
        // Exact: the factor is the product of the head and an integer.
        scale::SUPER => {
            put(place, row, [(factor / head.to_f32()).round_ties_even() as i8 as u8]);
        }
        _ => put(place, row, factor.to_le_bytes()),
    }
}

fn write_heads(format: Format, row: &Row<'_>, strip: &mut [u8], index: usize) {
    let groups = row.groups.len() / format.parts;
    for group in (0..groups).step_by(GROUPS_PER_HEAD) {
        let Some(heads) = row.heads(group) else { return };
        let place = &mut strip[format.head_at(group)..][..format.head_bytes()];
        for (place, head) in place.chunks_exact_mut(2 * STRIP).zip(heads) {
            put(place, index, head.to_le_bytes());
        }
    }
}

fn put<const N: usize>(place: &mut [u8], index: usize, bytes: [u8; N]) {
    place[index * N..][..N].copy_from_slice(&bytes);
}

fn get<const N: usize>(place: &[u8], index: usize) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&place[index * N..][..N]);
    bytes
}

/// Writes the numbers of one row of a strip.
pub(super) fn unpack_row(format: Format, strip: &[u8], row: usize, out: &mut [f32]) {
    for (group, out) in out.as_chunks_mut::<GROUP>().0.iter_mut().enumerate() {
        let place = &strip[format.group_at(group)..][..format.group_bytes()];
        let head = &strip[format.head_at(group)..][..format.head_bytes()];
        let integers = read_codes(format, place, row);
        let parts = out.chunks_exact_mut(GROUP / format.parts);
        for (part, out) in parts.enumerate() {
            let scale = read_factor(format, &place[format.scale_at(part)..], head, row);
            let offset = format.offset.then(|| {
                let head = head.get(2 * STRIP..).unwrap_or_default();
                read_factor(format, &place[format.offset_at(part)..], head, row)
            });
            let integers = &integers[part * GROUP / format.parts..];
            for (out, &integer) in out.iter_mut().zip(integers) {
                *out =
                    offset.map_or(scale * integer as f32, |offset| scale * integer as f32 + offset);
            }
        }
    }
}

fn read_codes(format: Format, group: &[u8], row: usize) -> [i32; GROUP] {
    let word = |step: usize| u32::from_le_bytes(get(&group[step * STEP_BYTES..], row));
    std::array::from_fn(|col| {
        let (step, byte) = (col / 4, 8 * (col % 4));
        if format.code == code::BYTE {
            return i32::from((word(step) >> byte) as i8);
        }
        let low = word(step / 2) >> (byte + step % 2 * 4) & 15;
        let high = match format.code {
            code::FIVE => word(4) >> (byte + step) & 1,
            code::SIX => word(4 + step / 4) >> (byte + step % 4 * 2) & 3,
            _ => 0,
        };
        (low | high << 4) as i32 - format.zero
    })
}

fn read_factor(format: Format, place: &[u8], head: &[u8], row: usize) -> f32 {
    match format.scale {
        scale::HALF => f16::from_le_bytes(get(place, row)).to_f32(),
        scale::SUPER => {
            let integer = get::<1>(place, row)[0] as i8;
            f16::from_le_bytes(get(head, row)).to_f32() * f32::from(integer)
        }
        _ => f32::from_le_bytes(get(place, row)),
    }
}

/// Packs up to [`STRIP`] rows of floats.
pub(super) fn pack_float_strip(kind: FloatKind, rows: &[u8], cols: usize, strip: &mut [u8]) {
    match kind {
        FloatKind::Single => transpose::<4>(rows, cols, strip),
        FloatKind::Half | FloatKind::Brain => transpose::<2>(rows, cols, strip),
    }
}

fn transpose<const N: usize>(rows: &[u8], cols: usize, strip: &mut [u8]) {
    for (index, row) in rows.chunks_exact(cols * N).enumerate() {
        for (&number, column) in
            row.as_chunks::<N>().0.iter().zip(strip.chunks_exact_mut(STRIP * N))
        {
            put(column, index, number);
        }
    }
}

/// Writes the numbers of one row of a strip of floats.
pub(super) fn unpack_float_row(kind: FloatKind, strip: &[u8], row: usize, out: &mut [f32]) {
    for (out, column) in out.iter_mut().zip(strip.chunks_exact(STRIP * kind.bytes())) {
        *out = match kind {
            FloatKind::Single => f32::from_le_bytes(get(column, row)),
            FloatKind::Half => f16::from_le_bytes(get(column, row)).to_f32(),
            FloatKind::Brain => {
                f32::from_bits(u32::from(u16::from_le_bytes(get(column, row))) << 16)
            }
        };
    }
}
