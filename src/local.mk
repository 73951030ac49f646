# main.c, args.c, config.c and the sampler
