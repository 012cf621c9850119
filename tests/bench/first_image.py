"""first_image.py FOLDER: one 32x32 image by diffusers in a fresh process, as its own tutorials do it."""
import sys

import torch
from diffusers import DDIMPipeline, DDIMScheduler, UNet2DModel

net = UNet2DModel(sample_size=32, in_channels=1, out_channels=1, block_out_channels=(32, 64), layers_per_block=2,
                  down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"))
image = DDIMPipeline(net, DDIMScheduler())(num_inference_steps=10, generator=torch.manual_seed(0)).images[0]
image.save(sys.argv[1] + "/first.png")
