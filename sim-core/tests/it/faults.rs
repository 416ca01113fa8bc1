//! Faults as data: no two are the same in the digest, and each is read back as it was written.

use crate::common::P;
use sim_core::{
    ClockChange, CrashMode, CrashPoint, Digest, DiskQuality, Encode, Fault, FileId, Honesty, Kept, Latency,
    LinkQuality, MessageId, Ratio, Span, Unsynced,
};

/// Faults that differ in one thing each.
fn faults() -> Vec<Fault> {
    let (process, file) = (P(1), FileId(1));
    let usual = DiskQuality::default();
    let slow = Latency::Constant(Span::from_millis(7));
    let mut faults: Vec<Fault> = [
        usual,
        DiskQuality { write: slow, ..usual },
        DiskQuality { sync: slow, ..usual },
        DiskQuality { notice: slow, ..usual },
    ]
    .map(|quality| Fault::SetDisk { process, quality: Box::new(quality) })
    .into();
    for process in [P(0), P(1)] {
        faults.push(Fault::StallDisk { process });
        faults.push(Fault::UnstallDisk { process });
        faults.push(Fault::CompleteSync { process });
        faults.push(Fault::WipeDisk { process });
        faults.push(Fault::DisarmCrash { process });
        faults.push(Fault::HealDisk { process });
    }
    faults.extend([1, 2].map(|nth| Fault::FailOperation { process, nth }));
    faults.extend([Unsynced::Gone, Unsynced::Kept].map(|unsynced| Fault::FailSync {
        process,
        nth: 1,
        unsynced,
    }));
    faults.extend([None, Some(0), Some(1)].map(|bytes| Fault::LimitDisk { process, bytes }));
    for file in [None, Some(FileId(0)), Some(file)] {
        for offset in [None, Some(0), Some(1)] {
            for bits in [None, Some(1), Some(2)] {
                faults.push(Fault::FlipBits { process, file, offset, bits });
            }
        }
    }
    for offset in [None, Some(0), Some(1)] {
        faults.extend([FileId(0), file].map(|file| Fault::Misdirect { process, file, offset }));
    }
    let honesties = [Honesty::Honest, Honesty::LiesWhenDue, Honesty::LiesAtOnce];
    faults.extend(honesties.map(|honesty| Fault::SetHonesty { process, honesty }));
    for kept in [Kept::Nothing, Kept::Prefix, Kept::Any] {
        faults.extend(
            [true, false].map(|torn| Fault::SetCrashMode { process, mode: CrashMode { kept, torn } }),
        );
    }
    for when in [CrashPoint::Before, CrashPoint::Torn, CrashPoint::After] {
        faults.extend([1, 2].map(|operation| Fault::CrashAt { process, operation, when }));
        faults.extend([1, 2].map(|coming| Fault::CrashAtComing { process, coming, when }));
    }
    let by = Span::from_millis(1);
    for clock in [
        ClockChange::Drift { ppm: 1 },
        ClockChange::Drift { ppm: -1 },
        ClockChange::Drift { ppm: 0 },
        ClockChange::Wander { ppm: 1, period: by },
        ClockChange::Wander { ppm: 2, period: by },
        ClockChange::Wander { ppm: 1, period: Span::from_millis(2) },
        ClockChange::Ahead { by },
        ClockChange::Back { by },
        ClockChange::Right,
    ] {
        faults.push(Fault::SetClock { process, clock });
    }
    let usual = LinkQuality::default();
    let ratio = Ratio::from_percent(5);
    for quality in [
        usual,
        LinkQuality { latency: slow, ..usual },
        LinkQuality { loss: ratio, ..usual },
        LinkQuality { corrupt: ratio, ..usual },
        LinkQuality { duplicate: ratio, ..usual },
        LinkQuality { reorder: ratio, ..usual },
        LinkQuality { reorder_by: by, ..usual },
        LinkQuality { fifo: true, ..usual },
    ] {
        faults.push(Fault::SetQuality { from: P(0), to: P(1), quality });
    }
    for count in [0, 1] {
        faults.extend([P(0), P(1)].map(|process| Fault::DropAfter { process, count }));
    }
    faults.extend([P(0), P(1)].map(|process| Fault::StopDropping { process }));
    let id = MessageId { from: P(0), to: P(1), kind: 0, copy: 0, ordinal: 0, epoch: 0 };
    for id in [
        id,
        MessageId { from: P(1), to: P(0), ..id },
        MessageId { kind: 1, ..id },
        MessageId { copy: 1, ..id },
        MessageId { ordinal: 1, ..id },
        MessageId { epoch: 1, ..id },
    ] {
        faults.extend([true, false].map(|copy| Fault::DeliverThis { id, copy }));
    }
    for from in [None, Some(P(0)), Some(P(1))] {
        for to in [None, Some(P(0)), Some(P(1))] {
            for kind in [None, Some(0), Some(1)] {
                faults.push(Fault::DropPending { from, to, kind });
                faults.push(Fault::DeliverAll { from, to, kind });
                faults.push(Fault::DuplicatePending { from, to, kind });
                faults.push(Fault::Shuffle { from, to, kind });
            }
        }
    }
    faults
}

#[test]
fn no_two_faults_are_the_same_in_the_digest() {
    let value = |fault: &Fault| {
        let mut digest = Digest::new();
        fault.encode(&mut digest);
        digest.value()
    };
    let faults = faults();
    let values: std::collections::BTreeSet<u64> = faults.iter().map(value).collect();
    assert_eq!(values.len(), faults.len());
}

#[cfg(feature = "serde")]
#[test]
fn a_fault_is_read_back_as_it_was_written() {
    for fault in faults() {
        let text = serde_json::to_string(&fault).unwrap();
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault, "{text}");
    }
    let text = r#"{"set_clock":{"process":1,"clock":{"wander":{"ppm":200,"period":"50ms"}}}}"#;
    let clock = ClockChange::Wander { ppm: 200, period: Span::from_millis(50) };
    assert_eq!(serde_json::from_str::<Fault>(text).unwrap(), Fault::SetClock { process: P(1), clock });
    let text = r#"{"crash_at":{"process":0,"operation":12,"when":"torn"}}"#;
    let fault = Fault::CrashAt { process: P(0), operation: 12, when: CrashPoint::Torn };
    assert_eq!(serde_json::from_str::<Fault>(text).unwrap(), fault);
}
