import torch

from residua import extras, machine, runtime


def test_the_facts_of_a_machine_are_told(tmp_path):
    found = machine.check(tmp_path / "runs")
    assert found.facts["torch"] == torch.__version__
    assert "GB free" in found.facts["disk"]
    assert found.faults == []
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written_is_a_fault(tmp_path):
    (tmp_path / "file").write_text("in the way")
    found = machine.check(tmp_path / "file")
    assert any("cannot be written: choose another folder with --runs" in f for f in found.faults)


def test_more_threads_than_cores_are_remarked(tmp_path, monkeypatch):
    monkeypatch.setattr("residua.runtime.usable_cores", lambda: 1.5)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    remarks = machine.check(tmp_path).remarks
    assert any("64 threads where 1.5 cores" in r and "--threads 1" in r for r in remarks)


def test_few_threads_are_remarked(tmp_path, monkeypatch):
    monkeypatch.setattr("residua.runtime.usable_cores", lambda: 16.0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert any("OMP_NUM_THREADS may be set" in r for r in machine.check(tmp_path).remarks)


def test_little_memory_is_remarked(tmp_path, monkeypatch):
    monkeypatch.setattr("residua.runtime.main_memory", lambda: (10**9, 8 * 10**9))
    found = machine.check(tmp_path)
    assert found.facts["memory"] == "1.0 of 8.0 GB free"
    assert any("1.0 GB of memory are free" in remark for remark in found.remarks)
    assert runtime.free_memory(torch.device("cpu")) == 10**9
    monkeypatch.setattr("residua.runtime.main_memory", lambda: None)
    assert machine.check(tmp_path).facts["memory"] == "unknown"
    assert runtime.free_memory(torch.device("cpu")) > 1 << 60


def test_a_torchvision_of_another_torch_is_a_fault(tmp_path, monkeypatch):
    def broken(name):
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(machine.importlib, "import_module", broken)
    (fault,) = machine.check(tmp_path).faults
    assert "torchvision::nms does not exist" in fault
    assert "install the pair" in fault


def test_extras_that_are_not_installed_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda name: name != "onnx")
    assert "residua[" in machine.check(tmp_path).facts["extras"]
    assert "onnx" in machine.check(tmp_path).facts["extras"]
