"""Reads what store_sample_writer wrote with the packages that researchers use: h5py, xarray, pandas, safetensors, Pillow.

The Python blocks of docs/reference/run-h5.md are run as well.

Usage: read_with_python.py STORE_SAMPLE_WRITER RUN_H5_MD
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import h5py
import netCDF4
import numpy as np
import pandas as pd
import safetensors.numpy
import xarray as xr
from PIL import Image

LOSS = 1.0 / np.arange(1, 2501)


def check_train(ds):
    np.testing.assert_array_equal(ds["loss"].values, LOSS)
    np.testing.assert_array_equal(ds["step"].values, np.arange(2500))
    assert ds["loss"].dims == ("step",) and ds["samples"].dtype == np.int64
    assert ds["rate"].attrs["units"] == "1/s" and ds["loss"].attrs["long_name"] == "weighted loss"
    assert float(ds["loss"].sel(step=999)) == 1 / 1000
    frame = ds.to_dataframe()
    assert set(frame.columns) == {"loss", "samples", "rate", "wall_time"}
    assert frame["samples"].iloc[-1] == 2499 * 8


def documented(page, index, path):
    """Runs a block of the page with `run` naming our file; returns its variables."""
    block = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)[index]
    names = {"run": str(path), "h5py": h5py, "xr": xr}
    exec(re.sub(r"(?m)^run = .*$", "", block), names)
    return names


def while_open(path):
    with h5py.File(path, "r", swmr=True) as f:
        assert f.attrs["status"].decode() == "running"
        np.testing.assert_array_equal(f["metrics/train/loss"][:], LOSS)
    with xr.open_dataset(path, group="metrics/train", engine="h5netcdf", driver_kwds={"swmr": True}) as ds:
        check_train(ds)


def with_h5py(path):
    with h5py.File(path, "r") as f:
        text = {k: v.decode() for k, v in f.attrs.items()}
        assert text["schema"] == "perrin.run/1" and text["status"] == "finished" and text["sweep_id"] == "sweep-1", text
        assert f["config/toml"][()].decode() == '[experiment]\nname = "ü"\n'
        params = {k: v.decode() for k, v in f["config/params"].attrs.items()}
        assert params["stage.11.lr"] == "1e-3" and len(params) == 12
        assert len(f["provenance"].attrs["git_diff"]) == 100_000
        plugins = pd.DataFrame({k: v[:] for k, v in f["provenance/plugins"].items()}).set_index("plugin")
        assert plugins["id"].tolist() == [b"unet", b"cosine"]
        loss = f["metrics/train/loss"]
        np.testing.assert_array_equal(loss[:], LOSS)
        assert loss.dims[0]["step"].name == "/metrics/train/step" and loss.chunks == (1024,)
        frame = pd.DataFrame({k: v[:] for k, v in f["metrics/train"].items()}).set_index("step")
        assert frame.loc[2499, "samples"] == 2499 * 8
        data = f["images/samples/data"]
        assert data.shape == (3, 4, 6, 3) and data.dtype == np.uint8 and (data[2] == 20).all()
        assert data.attrs["CLASS"] == b"IMAGE" and data.attrs["INTERLACE_MODE"] == b"INTERLACE_PIXEL"
        assert f["segments/step"][:].tolist() == [0]


def with_xarray(path):
    for engine in ("netcdf4", "h5netcdf"):
        with xr.open_dataset(path, group="metrics/train", engine=engine) as ds:
            check_train(ds)
        with xr.open_dataset(path, group="images/samples", engine=engine) as ds:
            assert ds["data"].dims == ("step", "y", "x", "channel"), ds["data"].dims
            assert ds["data"].sel(step=2000).values.max() == 20
        with xr.open_dataset(path, group="segments", engine=engine) as ds:
            assert ds["start_time"].dims == ("segment",)
        with xr.open_dataset(path, group="evaluations/1", engine=engine) as ds:
            assert ds["value"].values.tolist() == [31.5, 0.125] and ds["n"].values.tolist() == [1000, 1000]
        with xr.open_dataset(path, group="evaluations/1/curves/denoising_error", engine=engine) as ds:
            assert float(ds["value"].sel(log_snr=2)) == 0.25
        print(f"xarray {xr.__version__} with {engine}: equal")
    with netCDF4.Dataset(path) as f:  # the whole tree, every group
        assert set(f.groups) == {"config", "provenance", "metrics", "images", "segments", "evaluations"}, f.groups
        assert f.status == "finished" and f["config/params"].getncattr("stage.3.lr") == "1e-3"


def others(folder):
    tensors = safetensors.numpy.load_file(folder / "a.safetensors")
    np.testing.assert_array_equal(tensors["net.weight"], np.array([[1.5, -2, 3], [4, 5, 6]], np.float32))
    assert tensors["step"].shape == () and tensors["step"] == 7
    with safetensors.safe_open(folder / "a.safetensors", "numpy") as f:
        assert f.metadata()["note"] == "ü"
    np.testing.assert_array_equal(np.array(Image.open(folder / "a.png")), np.array([[[1, 2, 3]], [[250, 251, 252]]]))


def main(writer, page):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        process = subprocess.Popen([writer, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "open\n"
        while_open(folder / "run.h5")
        documented(page, 1, folder / "run.h5")
        print("h5py and h5netcdf read the file while it is being written: equal")
        process.communicate("go\n")
        assert process.returncode == 0
        with_h5py(folder / "run.h5")
        names = documented(page, 0, folder / "run.h5")
        assert names["smooth"].shape == (2500,) and names["table"].loc[9, "loss"] == 0.1
        assert names["params"]["stage.0.lr"] == "1e-3" and names["picture"].shape == (4, 6, 3)
        assert names["found"].loc["psnr", "value"] == 31.5, names["found"]
        assert names["command"] == "perrin eval RUN" and names["curve"].sel(log_snr=0) == 0.5
        with_xarray(folder / "run.h5")
        others(folder)
    print(f"h5py {h5py.__version__}, pandas {pd.__version__}, netCDF4 {netCDF4.__version__}: equal")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
