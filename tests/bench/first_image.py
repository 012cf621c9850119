"""One image by diffusers in a fresh process, as its users do it: a saved pipeline is loaded and asked for a picture.

first_image.py FOLDER prepare    saves a pipeline with the network of experiments/quickstart.toml, untrained and without classes
first_image.py FOLDER            loads it, samples one image in 10 DDIM steps, writes FOLDER/first.png
"""
import sys

import torch
from diffusers import DDIMPipeline

folder = sys.argv[1]
if sys.argv[2:] == ["prepare"]:
    from diffusers import DDIMScheduler, UNet2DModel
    net = UNet2DModel(sample_size=28, in_channels=1, out_channels=1, block_out_channels=(16, 32, 64), layers_per_block=1,
                      norm_num_groups=8, down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
                      up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D"))
    DDIMPipeline(net, DDIMScheduler()).save_pretrained(folder + "/pipeline")
else:
    pipeline = DDIMPipeline.from_pretrained(folder + "/pipeline")
    pipeline.set_progress_bar_config(disable=True)
    image = pipeline(batch_size=1, num_inference_steps=10, generator=torch.manual_seed(0)).images[0]
    image.save(folder + "/first.png")
