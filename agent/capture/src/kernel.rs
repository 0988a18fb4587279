//! Loads the kernel programs and gives them their rings.

use std::os::fd::AsFd;

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, ArrayOfMaps, MapData, PerCpuArray},
    programs::{ProgramError, ProgramType, SchedClassifier},
    sys::{BpfHelper, is_helper_supported},
    util::{nr_cpus, online_cpus},
};
use capture_common::{COUNTERS, CpuCounters, EGRESS, INGRESS, RINGS, RUNNING, SNAPLEN, WAKEUP_BYTES};

use crate::{CaptureError, LiveConfig, object, ring::Ring};

/// Characters of the verifier's log worth showing.
const VERIFIER_LOG_KEPT: usize = 2000;

pub(crate) type Counters = PerCpuArray<MapData, [u64; CpuCounters::WORDS]>;

pub(crate) struct Kernel {
    pub(crate) ebpf: Ebpf,
    pub(crate) rings: Vec<Ring>,
    pub(crate) counters: Counters,
    /// To be set to 1 when capture shall begin.
    pub(crate) running: Array<MapData, u32>,
}

impl Kernel {
    pub(crate) fn load(config: &LiveConfig) -> Result<Self, CaptureError> {
        let object = object::load(config.object.as_deref())?;
        let page = rustix::param::page_size();
        let online = online_cpus().map_err(|(_, error)| CaptureError::io("list the CPUs")(error))?;
        let possible = nr_cpus().map_err(|(_, error)| CaptureError::io("list the CPUs")(error))?;
        let ring_bytes = config.ring_size(online.len(), page);

        let mut ebpf = EbpfLoader::new()
            .override_global(SNAPLEN, &config.snaplen, true)
            .override_global(WAKEUP_BYTES, &(ring_bytes as u64 / 4), true)
            .map_max_entries(RINGS, possible as u32)
            .load(&object)
            .map_err(CaptureError::kernel("load the kernel programs"))?;
        let mut rings = Vec::with_capacity(online.len());
        let mut ring_maps = Vec::with_capacity(online.len());
        for _ in &online {
            let map = new_ring(ring_bytes)?;
            let map_ring = CaptureError::io("map a ring buffer");
            let fd = map.fd().as_fd().try_clone_to_owned().map_err(&map_ring)?;
            rings.push(Ring::new(fd, ring_bytes, page).map_err(map_ring)?);
            ring_maps.push(map);
        }
        share_rings(&mut ebpf, &ring_maps, &online, possible)?;
        let counters = ebpf.take_map(COUNTERS).ok_or_else(|| missing(COUNTERS))?;
        let counters =
            Counters::try_from(counters).map_err(|error| CaptureError::ForeignObject(error.to_string()))?;
        let running = ebpf.take_map(RUNNING).ok_or_else(|| missing(RUNNING))?;
        let running =
            Array::try_from(running).map_err(|error| CaptureError::ForeignObject(error.to_string()))?;
        for name in [INGRESS, EGRESS] {
            program(&mut ebpf, name)?.load().map_err(explain_load)?;
        }
        Ok(Self { ebpf, rings, counters, running })
    }
}

/// The program `name` of the object.
pub(crate) fn program<'a>(
    ebpf: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut SchedClassifier, CaptureError> {
    let program = ebpf.program_mut(name).ok_or_else(|| missing(name))?;
    program.try_into().map_err(|error: ProgramError| CaptureError::ForeignObject(error.to_string()))
}

/// A CPU that is offline now shares the ring of one that is online, should it come up: a ring takes several producers.
fn share_rings(
    ebpf: &mut Ebpf,
    ring_maps: &[MapData],
    online: &[u32],
    possible: usize,
) -> Result<(), CaptureError> {
    let array = ebpf.map_mut(RINGS).ok_or_else(|| missing(RINGS))?;
    let mut array = ArrayOfMaps::<_, MapData>::try_from(array)
        .map_err(|error| CaptureError::ForeignObject(error.to_string()))?;
    for cpu in 0..possible as u32 {
        let own = online.binary_search(&cpu).unwrap_or_else(|_| cpu as usize % ring_maps.len());
        array.set(cpu, &ring_maps[own], 0).map_err(CaptureError::kernel("give a CPU its ring buffer"))?;
    }
    Ok(())
}

fn new_ring(bytes: usize) -> Result<MapData, CaptureError> {
    let ring = aya_obj::Map::new_from_params(
        aya_obj::generated::bpf_map_type::BPF_MAP_TYPE_RINGBUF as u32,
        0,
        0,
        bytes as u32,
        0,
    );
    MapData::create(ring, "remora_ring", None).map_err(CaptureError::kernel("create a ring buffer"))
}

fn missing(name: &str) -> CaptureError {
    CaptureError::ForeignObject(format!("they have no `{name}`"))
}

fn explain_load(error: ProgramError) -> CaptureError {
    let ProgramError::LoadError { io_error, verifier_log } = &error else {
        return CaptureError::kernel("load a kernel program")(error);
    };
    if io_error.kind() == std::io::ErrorKind::PermissionDenied {
        return CaptureError::Privilege { what: "load a kernel program" };
    }
    let dynptr =
        is_helper_supported(ProgramType::SchedClassifier, BpfHelper::BPF_FUNC_ringbuf_reserve_dynptr);
    if matches!(dynptr, Ok(false)) {
        return CaptureError::NoDynptr;
    }
    // The verifier says what it minds at the end, before its figures.
    let log = verifier_log.to_string();
    let start = log.char_indices().rev().nth(VERIFIER_LOG_KEPT).map_or(0, |(at, _)| at);
    CaptureError::Verifier(format!("{io_error}; the end of its log: {}", &log[start..]))
}
