"""Prints what diffusers gives where Perrin reaches it by a key or a name.

    pip install torch==2.11.0 diffusers==0.42.1
    python peers.py

times     the whole times of DPM-Solver, UniPC and DEIS, of LCM, and the sigmas of flow matching, for steps_test.cpp
strength  how many of n steps an image-to-image pipeline runs
rescale   one guided step of DDIM: classifier-free guidance of scale 4, rescale_noise_cfg of the model's output with
          0.7, and the denoised prediction, on numbers that are exact in float32, for guidance_test.cpp
"""
import diffusers
import torch
from diffusers import (DDIMScheduler, DEISMultistepScheduler, DPMSolverMultistepScheduler,
                       FlowMatchEulerDiscreteScheduler, LCMScheduler, UniPCMultistepScheduler)
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline


def times():
    for peer in (DPMSolverMultistepScheduler, UniPCMultistepScheduler, DEISMultistepScheduler):
        for spacing, offset, n in (("leading", 1, 5), ("leading", 1, 20), ("linspace", 0, 5), ("linspace", 0, 20)):
            scheduler = peer(timestep_spacing=spacing, steps_offset=offset)
            scheduler.set_timesteps(n)
            print(peer.__name__, spacing, n, scheduler.timesteps.tolist())
    for n in (1, 3, 4, 8):
        scheduler = LCMScheduler()
        scheduler.set_timesteps(n)
        print("LCM", n, scheduler.timesteps.tolist())
    for shift in (1.0, 3.0):
        scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
        scheduler.set_timesteps(5)
        print("FlowMatchEuler", shift, [f"{s:.8f}" for s in scheduler.sigmas.tolist()])


def strength():
    pipeline = object.__new__(StableDiffusionImg2ImgPipeline)
    for n, part in ((50, 0.75), (50, 0.3), (10, 0.55), (20, 1.0)):
        object.__setattr__(pipeline, "scheduler", DDIMScheduler())
        pipeline.scheduler.set_timesteps(n)
        print("strength", n, part, StableDiffusionImg2ImgPipeline.get_timesteps(pipeline, n, part, "cpu")[1])


def counted(p, m, h, d):
    return torch.tensor([(i * p % m - h) / d for i in range(24)], dtype=torch.float32).reshape(2, 3, 2, 2)


def rescale():
    x, given, null = counted(3, 17, 8, 4), counted(7, 11, 5, 4), counted(5, 13, 6, 8)
    for prediction in ("epsilon", "v_prediction", "sample"):
        scheduler = DDIMScheduler(prediction_type=prediction, clip_sample=False)
        scheduler.set_timesteps(10)
        guided = rescale_noise_cfg(null + 4 * (given - null), given, guidance_rescale=0.7)
        D = scheduler.step(guided, 500, x).pred_original_sample
        print("rescale", prediction, f"{D.abs().sum():.6f}", [f"{D.flatten()[i]:.7g}" for i in (0, 5, 13, 23)])


print("diffusers", diffusers.__version__, "torch", torch.__version__)
times()
strength()
rescale()
